//! The directives that a unit of a service can have, in [Unit], [Service] and [Install].

use super::Grammar::{
    Addresses, Assignments, Binds, BpfNames, BusName, Calendar, Capabilities, Command, ConditionPath, Credential,
    CredentialText, Device, DeviceLatency, DeviceLimit, DeviceWeight, Directories, Documents, ErrorNumber,
    ExitStatuses, Families, Filled, FiniteSpan, Group, Groups, Hostname, Input, Interface, Limit, LimitOfBytes,
    LimitOfTime, LinkedDirectories, Mounts, Numbers, OomRules, Output, Path, PathOrNot, Paths, Percent, PidFile,
    Processors, Quota, Sessions, Share, Signal, Size, SizeAboveZero, Slice, Sockets, SpanFromASecond, SystemCallNames,
    SystemCalls, Tasks, Temporary, Variables, WeightOrIdle, WorkingDirectory,
};
use super::Section::{self, Install, Service, Timer, Unit};
use super::Takes::{
    self, Any, Grammar, List, Mode, Number, Span, Switch, SwitchOr, SwitchOrList, Units, Word, WordOrNumber,
};
use super::{NumberedWords, Words};

const COUNT: Takes = Number(0, u32::MAX as i64);
const WEIGHT: Takes = Number(1, 10_000);

const ACCESSES: Words = &[("none", 0), ("main", 0), ("exec", 233), ("all", 0)];
const ACTIONS: Words = &[
    ("none", 0),
    ("reboot", 0),
    ("reboot-force", 0),
    ("reboot-immediate", 0),
    ("poweroff", 0),
    ("poweroff-force", 0),
    ("poweroff-immediate", 0),
    ("exit", 236),
    ("exit-force", 236),
    ("soft-reboot", 254),
    ("soft-reboot-force", 254),
    ("kexec", 254),
    ("kexec-force", 254),
    ("halt", 254),
    ("halt-force", 254),
    ("halt-immediate", 254),
];
const COLLECT_MODES: Words = &[("inactive", 0), ("inactive-or-failed", 0)];
const CPU_SET_PARTITIONS: Words = &[("member", 0), ("root", 0), ("isolated", 0)];
const CONTROL_GROUPS: Words = &[("private", 257), ("strict", 257)];
const DEVICE_POLICIES: Words = &[("auto", 0), ("closed", 0), ("strict", 0)];
const EXIT_TYPES: Words = &[("main", 0), ("cgroup", 0)];
const JOB_MODES: Words = &[
    ("fail", 0),
    ("replace", 0),
    ("replace-irreversibly", 0),
    ("isolate", 0),
    ("flush", 0),
    ("ignore-dependencies", 0),
    ("ignore-requirements", 0),
    ("triggering", 244),
    ("restart-dependencies", 254),
    ("lenient", 258),
];
const KEYRING_MODES: Words = &[("inherit", 0), ("private", 0), ("shared", 0)];
const KILL_MODES: Words = &[("control-group", 0), ("process", 0), ("mixed", 0), ("none", 0)];
const OOM_POLICIES: Words = &[("continue", 0), ("stop", 0), ("kill", 0)];
const PRESSURE_WATCHES: Words = &[("auto", 0), ("skip", 0)];
const PRIVATE_TMP: Words = &[("disconnected", 257)];
const PRIVATE_USERS: Words = &[("self", 257), ("identity", 257), ("full", 258), ("managed", 260)];
const PROC_SUBSET: Words = &[("all", 0), ("pid", 0)];
const PROTECT_HOME: Words = &[("read-only", 0), ("tmpfs", 239)];
const PROTECT_PROC: Words = &[("noaccess", 0), ("invisible", 0), ("ptraceable", 0), ("default", 0)];
const PROTECT_SYSTEM: Words = &[("full", 0), ("strict", 232)];
const REFRESHED: Words = &[("extensions", 0), ("credentials", 0)];
const RESTART: Words = &[("restart", 0)];
const RESTART_OR_SUCCESS: Words = &[("restart", 0), ("on-success", 261)];
const RESTARTS: Words = &[
    ("no", 0),
    ("always", 0),
    ("on-success", 0),
    ("on-failure", 0),
    ("on-abnormal", 0),
    ("on-abort", 0),
    ("on-watchdog", 0),
];
const RESTART_MODES: Words = &[("normal", 0), ("direct", 0), ("debug", 257)];
const SECURE_BITS: Words = &[
    ("keep-caps", 0),
    ("keep-caps-locked", 0),
    ("no-setuid-fixup", 0),
    ("no-setuid-fixup-locked", 0),
    ("noroot", 0),
    ("noroot-locked", 0),
    ("no-cap-ambient-raise", 262),
    ("no-cap-ambient-raise-locked", 262),
    ("exec-restrict-file", 262),
    ("exec-restrict-file-locked", 262),
    ("exec-deny-interactive", 262),
    ("exec-deny-interactive-locked", 262),
];
const THP_MODES: Words = &[("inherit", 0), ("disable", 0), ("madvise", 0), ("system", 0)];
const TIMEOUT_MODES: Words = &[("terminate", 0), ("abort", 0), ("kill", 0)];
const TYPES: Words = &[
    ("simple", 0),
    ("exec", 240),
    ("forking", 0),
    ("oneshot", 0),
    ("dbus", 0),
    ("notify", 0),
    ("notify-reload", 253),
    ("idle", 0),
];
const ARCHITECTURES: Words = &[
    ("native", 0),
    ("x86", 0),
    ("x86-64", 0),
    ("x32", 0),
    ("arm", 0),
    ("arm64", 0),
    ("ppc", 0),
    ("ppc64", 0),
    ("ppc64-le", 0),
    ("s390", 0),
    ("s390x", 0),
    ("mips", 0),
    ("mips-le", 0),
    ("mips64", 0),
    ("mips64-le", 0),
    ("mips64-n32", 0),
    ("mips64-le-n32", 0),
    ("riscv64", 250),
    ("loongarch64", 255),
    ("parisc", 251),
    ("parisc64", 251),
];
const CONTROLLERS: Words = &[
    ("cpu", 0),
    ("cpuacct", 0),
    ("cpuset", 244),
    ("io", 0),
    ("blkio", 0),
    ("memory", 0),
    ("devices", 0),
    ("pids", 0),
    ("bpf-firewall", 240),
    ("bpf-devices", 240),
];
const FACILITIES: NumberedWords = &[
    ("kern", 0, 0),
    ("user", 1, 0),
    ("mail", 2, 0),
    ("daemon", 3, 0),
    ("auth", 4, 0),
    ("syslog", 5, 0),
    ("lpr", 6, 0),
    ("news", 7, 0),
    ("uucp", 8, 0),
    ("cron", 9, 0),
    ("authpriv", 10, 0),
    ("ftp", 11, 0),
    ("local0", 16, 0),
    ("local1", 17, 0),
    ("local2", 18, 0),
    ("local3", 19, 0),
    ("local4", 20, 0),
    ("local5", 21, 0),
    ("local6", 22, 0),
    ("local7", 23, 0),
];
const IO_CLASSES: NumberedWords = &[("none", 0, 0), ("realtime", 1, 0), ("best-effort", 2, 0), ("idle", 3, 0)];
const LOG_LEVELS: NumberedWords = &[
    ("emerg", 0, 0),
    ("alert", 1, 0),
    ("crit", 2, 0),
    ("err", 3, 0),
    ("warning", 4, 0),
    ("notice", 5, 0),
    ("info", 6, 0),
    ("debug", 7, 0),
];
const NAMESPACES: Words =
    &[("cgroup", 0), ("ipc", 0), ("net", 0), ("mnt", 0), ("pid", 0), ("user", 0), ("uts", 0), ("time", 258)];
/// All but `user`, which is the one that they are handed to.
const DELEGATED_NAMESPACES: Words =
    &[("cgroup", 0), ("ipc", 0), ("net", 0), ("mnt", 0), ("pid", 0), ("uts", 0), ("time", 0)];
const NUMA_POLICIES: Words = &[
    ("default", 0),
    ("preferred", 0),
    ("bind", 0),
    ("interleave", 0),
    ("local", 0),
    ("preferred-many", 262),
    ("weighted-interleave", 262),
];
const OOM_KILLS: Words = &[("auto", 0), ("kill", 0)];
const OOM_PREFERENCES: Words = &[("none", 0), ("avoid", 0), ("omit", 0)];
const PROPAGATIONS: Words = &[("shared", 0), ("slave", 0), ("private", 0)];
// The numbers are those of sched(7).
const SCHEDULERS: NumberedWords =
    &[("other", 0, 0), ("batch", 3, 0), ("idle", 5, 0), ("fifo", 1, 0), ("rr", 2, 0), ("ext", 7, 260)];
const SIZE_ABOVE_ZERO: Takes = Grammar(SizeAboveZero);
// `personality_from_string` in `src/shared/nsflags.c`: those of all architectures.
const PERSONALITIES: Words = &[
    ("x86", 0),
    ("x86-64", 0),
    ("arm", 0),
    ("arm64", 0),
    ("ppc", 0),
    ("ppc-le", 0),
    ("ppc64", 0),
    ("ppc64-le", 0),
    ("s390", 0),
    ("s390x", 0),
];
const SIZE: Takes = Grammar(Size);
const UTMP_MODES: Words = &[("init", 0), ("login", 0), ("user", 0)];

/// The newest version whose directives are known here.
pub(super) const NEWEST: u32 = 262;

/// Directives of [Service] that a version and all later ones leave out with a warning (`config_parse_warn_compat` in
/// `src/core/load-fragment.c`).
pub(super) const GONE: &[(u32, &str)] = &[(
    258,
    "BlockIOAccounting BlockIODeviceWeight BlockIOReadBandwidth BlockIOWeight BlockIOWriteBandwidth CPUAccounting \
     CPUShares DefaultMemoryLow DefaultMemoryMin DefaultStartupMemoryLow MemoryLimit StartupBlockIOWeight \
     StartupCPUShares",
)];

/// The directives, by section, by the version that they came with (0: before the oldest that we write for), and by
/// what they take.
pub(super) const DIRECTIVES: &[(Section, u32, Takes, &str)] = &[
    (
        Unit,
        0,
        Grammar(Filled),
        "AssertACPower AssertArchitecture AssertCapability AssertFirstBoot AssertHost AssertKernelCommandLine AssertSecurity AssertVirtualization ConditionACPower ConditionArchitecture ConditionCapability ConditionFirstBoot ConditionHost ConditionKernelCommandLine ConditionSecurity ConditionVirtualization Description",
    ),
    (Unit, 0, Any, "JobTimeoutRebootArgument"),
    (Unit, 0, Grammar(Path), "SourcePath"),
    (
        Unit,
        0,
        Grammar(ConditionPath),
        "AssertDirectoryNotEmpty AssertFileIsExecutable AssertFileNotEmpty AssertNeedsUpdate AssertPathExists AssertPathExistsGlob AssertPathIsDirectory AssertPathIsMountPoint AssertPathIsReadWrite AssertPathIsSymbolicLink ConditionDirectoryNotEmpty ConditionFileIsExecutable ConditionFileNotEmpty ConditionNeedsUpdate ConditionPathExists ConditionPathExistsGlob ConditionPathIsDirectory ConditionPathIsMountPoint ConditionPathIsReadWrite ConditionPathIsSymbolicLink",
    ),
    (Unit, 0, Grammar(Documents), "Documentation"),
    (Unit, 0, Grammar(Mounts), "RequiresMountsFor"),
    (Unit, 0, Span, "JobTimeoutSec"),
    (
        Unit,
        0,
        Switch,
        "AllowIsolate DefaultDependencies IgnoreOnIsolate RefuseManualStart RefuseManualStop \
         StopWhenUnneeded",
    ),
    (
        Unit,
        0,
        Units,
        "After Before BindsTo Conflicts JoinsNamespaceOf OnFailure PartOf PropagatesReloadTo ReloadPropagatedFrom \
         Requires Requisite Wants",
    ),
    (Unit, 0, Word(ACTIONS), "JobTimeoutAction"),
    (Unit, 0, Word(JOB_MODES), "OnFailureJobMode"),
    (Unit, 229, Any, "RebootArgument"),
    (Unit, 229, COUNT, "StartLimitBurst"),
    (Unit, 229, Span, "StartLimitInterval"),
    (Unit, 229, Word(ACTIONS), "StartLimitAction"),
    (Unit, 230, Span, "StartLimitIntervalSec"),
    (Unit, 234, Grammar(Filled), "AssertGroup AssertUser ConditionGroup ConditionUser"),
    (Unit, 234, Span, "JobRunningTimeoutSec"),
    (Unit, 236, Word(ACTIONS), "FailureAction SuccessAction"),
    (Unit, 236, Word(COLLECT_MODES), "CollectMode"),
    (
        Unit,
        237,
        Grammar(Filled),
        "AssertControlGroupController AssertKernelVersion ConditionControlGroupController \
         ConditionKernelVersion",
    ),
    (Unit, 240, Number(0, 255), "FailureActionExitStatus SuccessActionExitStatus"),
    (
        Unit,
        247,
        Grammar(Filled),
        "AssertCPUs AssertEnvironment AssertMemory ConditionCPUs ConditionEnvironment ConditionMemory",
    ),
    (Unit, 247, Grammar(ConditionPath), "AssertPathIsEncrypted ConditionPathIsEncrypted"),
    (Unit, 249, Grammar(Filled), "AssertOSRelease ConditionFirmware ConditionOSRelease"),
    (Unit, 249, Units, "OnSuccess PropagatesStopTo StopPropagatedFrom Upholds"),
    (Unit, 249, Word(JOB_MODES), "OnSuccessJobMode"),
    (
        Unit,
        250,
        Grammar(Filled),
        "AssertCPUPressure AssertIOPressure AssertMemoryPressure ConditionCPUPressure ConditionIOPressure \
         ConditionMemoryPressure",
    ),
    (Unit, 251, Grammar(Filled), "AssertCPUFeature ConditionCPUFeature"),
    (Unit, 252, Grammar(Filled), "AssertCredential ConditionCredential"),
    (Unit, 255, Switch, "SurviveFinalKillSignal"),
    (Unit, 256, Grammar(Mounts), "WantsMountsFor"),
    (Unit, 258, Grammar(Filled), "AssertKernelModuleLoaded AssertVersion ConditionKernelModuleLoaded ConditionVersion"),
    (Unit, 260, Grammar(ConditionPath), "AssertPathIsSocket ConditionPathIsSocket"),
    (Unit, 261, Grammar(Filled), "AssertFraction AssertMachineTag ConditionFraction ConditionMachineTag"),
    (
        Service,
        0,
        Any,
        "BlockIOReadBandwidth BlockIOWriteBandwidth RebootArgument CPUShares Environment LimitNICE StartupCPUShares TimerSlackNSec User",
    ),
    (
        Service,
        0,
        Grammar(Filled),
        "AppArmorProfile PAMName SELinuxContext SmackProcessLabel SyslogIdentifier UtmpIdentifier",
    ),
    (Service, 0, Grammar(DeviceWeight), "BlockIODeviceWeight"),
    (Service, 0, List(SECURE_BITS), "SecureBits"),
    (Service, 0, Grammar(Sockets), "Sockets"),
    (Service, 0, Grammar(ErrorNumber), "SystemCallErrorNumber"),
    (Service, 0, Grammar(Group), "Group"),
    (Service, 0, Grammar(BusName), "BusName"),
    (Service, 0, Grammar(PidFile), "PIDFile"),
    (Service, 0, COUNT, "StartLimitBurst"),
    (Service, 0, Grammar(Capabilities), "CapabilityBoundingSet"),
    (Service, 0, Grammar(Command), "ExecReload ExecStartPost ExecStartPre ExecStop ExecStopPost"),
    (Service, 0, Grammar(Device), "DeviceAllow"),
    (Service, 0, Grammar(LinkedDirectories), "RuntimeDirectory"),
    (Service, 0, Grammar(ExitStatuses), "RestartForceExitStatus RestartPreventExitStatus SuccessExitStatus"),
    (Service, 0, Grammar(Families), "RestrictAddressFamilies"),
    (Service, 0, Grammar(Groups), "SupplementaryGroups"),
    (Service, 0, Grammar(Input), "StandardInput"),
    (Service, 0, Grammar(Limit), "LimitLOCKS LimitNOFILE LimitNPROC LimitRTPRIO LimitSIGPENDING"),
    (
        Service,
        0,
        Grammar(LimitOfBytes),
        "LimitAS LimitCORE LimitDATA LimitFSIZE LimitMEMLOCK LimitMSGQUEUE LimitRSS LimitSTACK",
    ),
    (Service, 0, Grammar(LimitOfTime), "LimitCPU LimitRTTIME"),
    (Service, 0, Grammar(Processors), "CPUAffinity"),
    (Service, 0, Grammar(Output), "StandardError StandardOutput"),
    (Service, 0, Grammar(Path), "RootDirectory TTYPath"),
    (Service, 0, Grammar(PathOrNot), "EnvironmentFile"),
    (Service, 0, Grammar(Paths), "InaccessibleDirectories ReadOnlyDirectories ReadWriteDirectories"),
    (Service, 0, Grammar(Percent), "CPUQuota"),
    (Service, 0, Grammar(Signal), "KillSignal"),
    (Service, 0, Grammar(Slice), "Slice"),
    (Service, 0, Grammar(SystemCalls), "SystemCallFilter"),
    (Service, 0, List(ARCHITECTURES), "SystemCallArchitectures"),
    (Service, 0, Mode, "RuntimeDirectoryMode UMask"),
    (Service, 0, Number(-1000, 1000), "OOMScoreAdjust"),
    (Service, 0, Number(-20, 19), "Nice"),
    (Service, 0, Number(0, 7), "IOSchedulingPriority"),
    (Service, 0, Number(0, 99), "CPUSchedulingPriority"),
    (Service, 0, Number(10, 1_000), "BlockIOWeight StartupBlockIOWeight"),
    (Service, 0, SIZE_ABOVE_ZERO, "MemoryLimit"),
    (Service, 0, Span, "RestartSec StartLimitInterval TimeoutSec TimeoutStartSec TimeoutStopSec WatchdogSec"),
    (
        Service,
        0,
        Switch,
        "BlockIOAccounting CPUAccounting CPUSchedulingResetOnFork GuessMainPID IgnoreSIGPIPE \
         MemoryAccounting NoNewPrivileges NonBlocking PermissionsStartOnly PrivateDevices PrivateNetwork \
         RemainAfterExit RootDirectoryStartOnly SendSIGHUP SendSIGKILL SyslogLevelPrefix TTYReset \
         TTYVHangup TTYVTDisallocate",
    ),
    (Service, 0, SwitchOr(PRIVATE_TMP), "PrivateTmp"),
    (Service, 0, SwitchOr(PROTECT_HOME), "ProtectHome"),
    (Service, 0, SwitchOr(PROTECT_SYSTEM), "ProtectSystem"),
    (Service, 0, SwitchOrList(CONTROLLERS), "Delegate"),
    (Service, 0, Word(ACCESSES), "NotifyAccess"),
    (Service, 0, Word(ACTIONS), "FailureAction StartLimitAction"),
    (Service, 0, Word(DEVICE_POLICIES), "DevicePolicy"),
    (Service, 0, WordOrNumber(FACILITIES), "SyslogFacility"),
    (Service, 0, WordOrNumber(IO_CLASSES), "IOSchedulingClass"),
    (Service, 0, Word(KILL_MODES), "KillMode"),
    (Service, 0, WordOrNumber(LOG_LEVELS), "SyslogLevel"),
    (Service, 0, Word(PROPAGATIONS), "MountFlags"),
    (Service, 0, WordOrNumber(SCHEDULERS), "CPUSchedulingPolicy"),
    (Service, 0, Word(PERSONALITIES), "Personality"),
    (Service, 0, Grammar(WorkingDirectory), "WorkingDirectory"),
    (Service, 0, Word(RESTARTS), "Restart"),
    (Service, 0, Word(TYPES), "Type"),
    (Service, 219, COUNT, "FileDescriptorStoreMax"),
    (Service, 225, Word(UTMP_MODES), "UtmpMode"),
    (Service, 227, Grammar(Path), "USBFunctionDescriptors USBFunctionStrings"),
    (Service, 227, Grammar(Tasks), "TasksMax"),
    (Service, 227, Switch, "TasksAccounting"),
    (Service, 228, Grammar(Variables), "PassEnvironment"),
    (Service, 229, Grammar(Capabilities), "AmbientCapabilities"),
    (Service, 229, Span, "RuntimeMaxSec"),
    (Service, 230, Grammar(DeviceLimit), "IOReadBandwidthMax IOReadIOPSMax IOWriteBandwidthMax IOWriteIOPSMax"),
    (Service, 230, Grammar(DeviceWeight), "IODeviceWeight"),
    (Service, 230, Switch, "IOAccounting"),
    (Service, 230, WEIGHT, "IOWeight StartupIOWeight"),
    (Service, 231, Grammar(Paths), "InaccessiblePaths ReadOnlyPaths ReadWritePaths"),
    (Service, 231, SIZE, "MemoryLow"),
    (Service, 231, SIZE_ABOVE_ZERO, "MemoryHigh MemoryMax"),
    (Service, 231, Switch, "MemoryDenyWriteExecute RestrictRealtime"),
    (Service, 232, Grammar(WeightOrIdle), "CPUWeight StartupCPUWeight"),
    (Service, 232, SIZE, "MemorySwapMax"),
    (Service, 232, Switch, "DynamicUser ProtectKernelModules ProtectKernelTunables"),
    (Service, 232, SwitchOr(CONTROL_GROUPS), "ProtectControlGroups"),
    (Service, 232, SwitchOr(PRIVATE_USERS), "PrivateUsers"),
    (Service, 233, Grammar(Binds), "BindPaths BindReadOnlyPaths"),
    (Service, 233, Grammar(Path), "RootImage"),
    (Service, 233, Switch, "MountAPIVFS"),
    (Service, 233, SwitchOrList(NAMESPACES), "RestrictNamespaces"),
    (Service, 235, Grammar(Addresses), "IPAddressAllow IPAddressDeny"),
    (Service, 235, Grammar(Directories), "ConfigurationDirectory"),
    (Service, 235, Grammar(LinkedDirectories), "CacheDirectory LogsDirectory StateDirectory"),
    (Service, 235, Grammar(Assignments), "UnsetEnvironment"),
    (Service, 235, Mode, "CacheDirectoryMode ConfigurationDirectoryMode LogsDirectoryMode StateDirectoryMode"),
    (Service, 235, Switch, "IPAccounting LockPersonality"),
    (Service, 235, SwitchOr(RESTART), "RuntimeDirectoryPreserve"),
    (Service, 235, Word(KEYRING_MODES), "KeyringMode"),
    (Service, 236, Any, "LogExtraFields StandardInputData StandardInputText"),
    (Service, 236, Switch, "RemoveIPC"),
    (Service, 236, WordOrNumber(LOG_LEVELS), "LogLevelMax"),
    (Service, 238, Grammar(Temporary), "TemporaryFileSystem"),
    (Service, 239, Switch, "PrivateMounts"),
    (Service, 240, Grammar(DeviceLatency), "IODeviceLatencyTargetSec"),
    (Service, 240, COUNT, "LogRateLimitBurst"),
    (Service, 240, Grammar(Signal), "FinalKillSignal WatchdogSignal"),
    (Service, 240, List(CONTROLLERS), "DisableControllers"),
    (Service, 240, SIZE, "MemoryMin"),
    (Service, 240, Span, "LogRateLimitIntervalSec"),
    (Service, 242, Span, "CPUQuotaPeriodSec"),
    (Service, 242, Grammar(Path), "NetworkNamespacePath"),
    (Service, 242, Grammar(Hostname), "ProtectHostname"),
    (Service, 242, Switch, "RestrictSUIDSGID"),
    (Service, 243, Any, "IPEgressFilterPath IPIngressFilterPath NUMAMask"),
    (Service, 243, Grammar(Command), "ExecCondition"),
    (Service, 243, SIZE, "DefaultMemoryLow DefaultMemoryMin"),
    (Service, 243, Span, "TimeoutAbortSec"),
    (Service, 243, Word(NUMA_POLICIES), "NUMAPolicy"),
    (Service, 243, Word(OOM_POLICIES), "OOMPolicy"),
    (Service, 244, Grammar(Numbers), "AllowedCPUs AllowedMemoryNodes"),
    (Service, 244, Grammar(Signal), "RestartKillSignal"),
    (Service, 244, Span, "TimeoutCleanSec"),
    (Service, 244, Switch, "ProtectKernelLogs"),
    (Service, 245, Any, "LogNamespace"),
    (Service, 245, Switch, "ProtectClock"),
    (Service, 246, Any, "CoredumpFilter RootHash RootHashSignature RootVerity"),
    (Service, 246, Word(TIMEOUT_MODES), "TimeoutStartFailureMode TimeoutStopFailureMode"),
    (Service, 247, Any, "MountImages RootImageOptions"),
    (Service, 247, Grammar(CredentialText), "SetCredential"),
    (Service, 247, Grammar(Credential), "LoadCredential"),
    (Service, 247, Grammar(SystemCallNames), "SystemCallLog"),
    (Service, 247, Word(OOM_KILLS), "ManagedOOMMemoryPressure ManagedOOMSwap"),
    (Service, 247, Word(PROC_SUBSET), "ProcSubset"),
    (Service, 247, Word(PROTECT_PROC), "ProtectProc"),
    (Service, 248, Any, "ExtensionImages"),
    (Service, 248, Grammar(Share), "ManagedOOMMemoryPressureLimit"),
    (Service, 248, Grammar(Path), "IPCNamespacePath"),
    (Service, 248, Grammar(Paths), "ExecPaths NoExecPaths"),
    (Service, 248, Switch, "PrivateIPC"),
    (Service, 248, Word(OOM_PREFERENCES), "ManagedOOMPreference"),
    (Service, 249, Any, "BPFProgram SocketBindAllow SocketBindDeny"),
    (Service, 250, Any, "ExecSearchPath RestrictFileSystems RestrictNetworkInterfaces"),
    (Service, 250, COUNT, "TTYColumns TTYRows"),
    (Service, 250, Any, "SetCredentialEncrypted"),
    (Service, 250, Grammar(Credential), "LoadCredentialEncrypted"),
    (Service, 250, Grammar(Numbers), "StartupAllowedCPUs StartupAllowedMemoryNodes"),
    (Service, 250, Span, "RuntimeRandomizedExtraSec"),
    (Service, 250, Word(EXIT_TYPES), "ExitType"),
    (Service, 251, Any, "ExtensionDirectories"),
    (Service, 253, Any, "LogFilterPatterns OpenFile"),
    (Service, 253, Grammar(Signal), "ReloadSignal"),
    (Service, 253, SIZE, "MemoryZSwapMax"),
    (Service, 254, Any, "DelegateSubgroup ExtensionImagePolicy ImportCredential MountImagePolicy RootImagePolicy"),
    (Service, 254, SwitchOr(PRESSURE_WATCHES), "MemoryPressureWatch"),
    (Service, 254, Switch, "MemoryKSM"),
    (Service, 254, SwitchOr(RESTART_OR_SUCCESS), "FileDescriptorStorePreserve"),
    (Service, 254, COUNT, "RestartSteps"),
    (Service, 254, SIZE, "StartupMemoryLow StartupMemorySwapMax StartupMemoryZSwapMax"),
    (Service, 254, SIZE_ABOVE_ZERO, "DefaultStartupMemoryLow StartupMemoryHigh StartupMemoryMax"),
    (Service, 254, Span, "MemoryPressureThresholdSec RestartMaxDelaySec"),
    (Service, 254, Switch, "RootEphemeral"),
    (Service, 254, Word(RESTART_MODES), "RestartMode"),
    (Service, 255, Any, "NFTSet"),
    (Service, 255, Switch, "SetLoginEnvironment"),
    (Service, 255, Switch, "CoredumpReceive"),
    (Service, 256, Switch, "MemoryZSwapWriteback"),
    (Service, 257, Grammar(SpanFromASecond), "ManagedOOMMemoryPressureDurationSec"),
    (Service, 257, Switch, "BindLogSockets PrivatePIDs"),
    (Service, 258, Grammar(BpfNames), "BPFDelegateAttachments BPFDelegateCommands BPFDelegateMaps BPFDelegatePrograms"),
    (Service, 258, Grammar(Quota), "CacheDirectoryQuota LogsDirectoryQuota StateDirectoryQuota"),
    (Service, 258, Switch, "CacheDirectoryAccounting LogsDirectoryAccounting PrivateBPF StateDirectoryAccounting"),
    (Service, 258, SwitchOrList(DELEGATED_NAMESPACES), "DelegateNamespaces"),
    (Service, 259, Grammar(Command), "ExecReloadPost"),
    (Service, 259, Grammar(Path), "UserNamespacePath"),
    (Service, 260, Grammar(Interface), "BindNetworkInterface"),
    (Service, 260, Grammar(Path), "RootMStack"),
    (Service, 260, SwitchOrList(REFRESHED), "RefreshOnReload"),
    (Service, 260, Word(THP_MODES), "MemoryTHP"),
    (Service, 261, Grammar(OomRules), "OOMRules"),
    (Service, 261, Span, "CPUPressureThresholdSec IOPressureThresholdSec"),
    (Service, 261, SwitchOr(PRESSURE_WATCHES), "CPUPressureWatch IOPressureWatch"),
    (Service, 261, Word(CPU_SET_PARTITIONS), "CPUSetPartition"),
    (Service, 262, Grammar(FiniteSpan), "RestartRandomizedDelaySec"),
    (Service, 262, Grammar(Sessions), "LUOSession"),
    (Install, 0, Any, "DefaultInstance"),
    (Install, 0, Units, "Alias Also RequiredBy WantedBy"),
    (Install, 254, Units, "UpheldBy"),
];

/// Those of a timer; what it starts is the service itself, so `Unit=` is none of them (systemd.timer(5)).
pub(super) const OF_TIMERS: &[(Section, u32, Takes, &str)] = &[
    (Timer, 0, Grammar(Calendar), "OnCalendar"),
    (Timer, 0, Span, "AccuracySec OnActiveSec OnBootSec OnStartupSec OnUnitActiveSec OnUnitInactiveSec"),
    (Timer, 212, Switch, "Persistent WakeSystem"),
    (Timer, 229, Span, "RandomizedDelaySec"),
    (Timer, 229, Switch, "RemainAfterElapse"),
    (Timer, 242, Switch, "OnClockChange OnTimezoneChange"),
    (Timer, 247, Switch, "FixedRandomDelay"),
    (Timer, 257, Switch, "DeferReactivation"),
    (Timer, 258, Span, "RandomizedOffsetSec"),
];
