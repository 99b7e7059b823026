//! What a unit takes away of the privileges that its processes could gain.

/// The directives that bring `NoNewPrivileges=yes` with them, whatever that says, for a process that may not administer
/// the system: one of an account, or of a user's own service manager (systemd.exec(5), `NoNewPrivileges=`; systemd#22881).
/// `DynamicUser=` makes such an account itself.
pub const BRING_NO_NEW_PRIVILEGES: [&str; 16] = [
    "DynamicUser",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "PrivateDevices",
    "ProtectClock",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "SystemCallArchitectures",
    "SystemCallFilter",
    "SystemCallLog",
];
