#!/usr/bin/env bash
# What the pages take for granted on a booted host, for tests/booted/readme.rs: pages.sh scene, and pages.sh clean.
set -euo pipefail

old=/opt/openmsistream/services/working_dir
actor=/usr/lib/python3/dist-packages/openmsistream/data_file_io/actor

unit() {
  printf '[Unit]\nDescription=%s\n\n[Service]\nExecStart=/bin/sleep infinity\n\n[Install]\nWantedBy=multi-user.target\n' "$1"
}

# A configured laboratory, and a package that stands for OpenMSIStream, with a service that its own tool made.
laboratory() {
  mkdir -p /data/in /etc/lab /srv/lab /srv/relay "$old" "$actor"
  id lab > /dev/null 2>&1 || useradd --create-home lab
  printf '[broker]\nbootstrap.servers = localhost:9092\n' > /etc/lab/prod.config
  printf 'import time\n\ndef main(arguments):\n    print("uploading", arguments)\n    time.sleep(1000)\n' > "$actor/data_file_upload_directory.py"
  printf 'DataFileUploadDirectory\n/data/in\n--config\n/etc/lab/prod.config\n' > "$old/old-uploader_install_args.txt"
  printf 'import time\ntime.sleep(1000)\n' > "$old/old-uploader_service_executable.py"
  cat > /etc/systemd/system/old-uploader.service << UNIT
[Unit]
Description = old-uploader

[Service]
Type = simple
User = root
WorkingDirectory = /srv/lab
ExecStart = /usr/bin/python3 $old/old-uploader_service_executable.py
KillMode = none

[Install]
WantedBy = multi-user.target
UNIT
  printf '#!/bin/sh\nexec sleep infinity\n' > /usr/bin/relay
  printf '#!/bin/sh\necho started\n' > /srv/lab/start.sh
  chmod 755 /usr/bin/relay /srv/lab/start.sh
  # Without one, `doctor` says that nothing waits for the network.
  printf '[Service]\nType=oneshot\nExecStart=/bin/true\nRemainAfterExit=yes\n\n[Install]\nWantedBy=network-online.target\n' \
    > /etc/systemd/system/lab-wait-online.service
}

# Services of somebody else, which docs/adopt.md takes over and docs/import.md reads.
of_others() {
  printf '[Service]\nExecStart=/bin/sleep 1000\n' > /etc/systemd/system/lamp.service
  mkdir -p units relay.service.d /mnt/image/etc/systemd/system /etc/systemd/system/nginx.service.d
  unit nginx > /etc/systemd/system/nginx.service
  printf '[Service]\nMemoryMax=1G\n' > /etc/systemd/system/nginx.service.d/limit.conf
  unit relay | tee relay.service > /etc/systemd/system/relay.service
  printf '[Service]\nNice=5\n' > relay.service.d/nice.conf
  unit tunnel > tunnel@.service
  unit ever > units/ever.service
  unit image > /mnt/image/etc/systemd/system/image.service
  printf '[Service]\nType=oneshot\nExecStart=/usr/sbin/logrotate /etc/logrotate.conf\n' > /etc/systemd/system/logrotate.service
  printf '[Timer]\nOnCalendar=daily\n\n[Install]\nWantedBy=timers.target\n' > /etc/systemd/system/logrotate.timer
  printf 'web: sleep infinity\n' > Procfile
  printf '{"apps": [{"name": "pm", "script": "/usr/bin/relay", "interpreter": "none"}]}\n' |
    tee ecosystem.json > ecosystem.config.json
  local services='HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MyService'
  printf '%s\r\n' 'Windows Registry Editor Version 5.00' '' "[$services]" '"ImagePath"="C:\\nssm.exe"' \
    '"DisplayName"="MyService"' '"Start"=dword:00000002' '' "[$services\Parameters]" '"Application"="C:\\my.exe"' \
    '"AppDirectory"="C:\\"' > MyService.reg
}

scene() {
  laboratory
  cd /srv/lab
  of_others
  systemctl daemon-reload
  systemctl enable --now old-uploader lab-wait-online
  systemctl start lamp
  InstallService --start --service_name web -- /bin/sh -c 'echo serving; exec sleep infinity'
}

clean() {
  local name
  ManageService --list --all --format json | python3 -c 'import json, sys; print(*[found["service"] for found in json.load(sys.stdin)["services"]], sep="\n")' |
    while IFS= read -r name; do
      ManageService "$name" release 2> /dev/null ||
        ManageService "$name" remove --remove_install_args --remove_env_vars
    done
  INSTALLSERVICE_WORKING_DIR=$old ManageService old-uploader remove --remove_install_args 2> /dev/null || true
  systemctl disable --quiet --now old-uploader lab-wait-online nginx relay lamp 2> /dev/null || true
  rm -rf /srv/lab /srv/relay "$old" "$actor" /mnt/image /data/in /etc/lab /usr/bin/relay
  cd /etc/systemd/system
  rm -rf lamp.service nginx.service nginx.service.d relay.service logrotate.* old-uploader.service lab-wait-online.service
  systemctl daemon-reload
}

"$1"
