//! The directives that a unit of a service can have, in [Unit], [Service] and [Install].

use super::Section::{self, Install, Service, Unit};
use super::Takes::{self, Any, Mode, Number, Span, Switch, SwitchOr, Units, Word};
use super::Words;

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
];
const KEYRING_MODES: Words = &[("inherit", 0), ("private", 0), ("shared", 0)];
const KILL_MODES: Words = &[("control-group", 0), ("process", 0), ("mixed", 0), ("none", 0)];
const OOM_POLICIES: Words = &[("continue", 0), ("stop", 0), ("kill", 0)];
const PRIVATE_TMP: Words = &[("disconnected", 257)];
const PRIVATE_USERS: Words = &[("self", 257), ("identity", 257)];
const PROC_SUBSET: Words = &[("all", 0), ("pid", 0)];
const PROTECT_HOME: Words = &[("read-only", 0), ("tmpfs", 239)];
const PROTECT_PROC: Words = &[("noaccess", 0), ("invisible", 0), ("ptraceable", 0), ("default", 0)];
const PROTECT_SYSTEM: Words = &[("full", 0), ("strict", 232)];
const RESTART: Words = &[("restart", 0)];
const RESTART_MODES: Words = &[("normal", 0), ("direct", 0), ("debug", 257)];
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
const UTMP_MODES: Words = &[("init", 0), ("login", 0), ("user", 0)];

/// The newest version whose directives are known here.
pub(super) const NEWEST: u32 = 257;

/// The directives, by section, by the version that they came with (0: before the oldest that we write for), and by
/// what they take.
pub(super) const DIRECTIVES: &[(Section, u32, Takes, &str)] = &[
    (
        Unit,
        0,
        Any,
        "AssertACPower AssertArchitecture AssertCapability AssertDirectoryNotEmpty AssertFileIsExecutable \
         AssertFileNotEmpty AssertFirstBoot AssertHost AssertKernelCommandLine AssertNeedsUpdate \
         AssertPathExists AssertPathExistsGlob AssertPathIsDirectory AssertPathIsMountPoint \
         AssertPathIsReadWrite AssertPathIsSymbolicLink AssertSecurity AssertVirtualization ConditionACPower \
         ConditionArchitecture ConditionCapability ConditionDirectoryNotEmpty ConditionFileIsExecutable \
         ConditionFileNotEmpty ConditionFirstBoot ConditionHost ConditionKernelCommandLine \
         ConditionNeedsUpdate ConditionPathExists ConditionPathExistsGlob ConditionPathIsDirectory \
         ConditionPathIsMountPoint ConditionPathIsReadWrite ConditionPathIsSymbolicLink ConditionSecurity \
         ConditionVirtualization Documentation JobTimeoutRebootArgument RequiresMountsFor SourcePath",
    ),
    (Unit, 0, Span, "JobTimeoutSec"),
    (
        Unit,
        0,
        Switch,
        "AllowIsolate DefaultDependencies IgnoreOnIsolate RefuseManualStart RefuseManualStop StopWhenUnneeded",
    ),
    (
        Unit,
        0,
        Units,
        "Before BindsTo Conflicts JoinsNamespaceOf OnFailure PartOf PropagatesReloadTo ReloadPropagatedFrom \
         Requires Requisite Wants",
    ),
    (Unit, 0, Word(ACTIONS), "JobTimeoutAction"),
    (Unit, 0, Word(JOB_MODES), "OnFailureJobMode"),
    (Unit, 229, Any, "RebootArgument"),
    (Unit, 229, COUNT, "StartLimitBurst"),
    (Unit, 229, Span, "StartLimitInterval"),
    (Unit, 229, Word(ACTIONS), "StartLimitAction"),
    (Unit, 230, Span, "StartLimitIntervalSec"),
    (Unit, 234, Any, "AssertGroup AssertUser ConditionGroup ConditionUser"),
    (Unit, 234, Span, "JobRunningTimeoutSec"),
    (Unit, 236, Word(ACTIONS), "FailureAction SuccessAction"),
    (Unit, 236, Word(COLLECT_MODES), "CollectMode"),
    (
        Unit,
        237,
        Any,
        "AssertControlGroupController AssertKernelVersion ConditionControlGroupController \
         ConditionKernelVersion",
    ),
    (Unit, 240, Any, "FailureActionExitStatus SuccessActionExitStatus"),
    (Unit, 244, Any, "AssertCPUs AssertMemory ConditionCPUs ConditionMemory"),
    (Unit, 246, Any, "AssertEnvironment AssertPathIsEncrypted ConditionEnvironment ConditionPathIsEncrypted"),
    (Unit, 248, Any, "AssertCPUFeature ConditionCPUFeature"),
    (Unit, 249, Any, "AssertOSRelease ConditionFirmware ConditionOSRelease"),
    (Unit, 249, Units, "OnSuccess PropagatesStopTo StopPropagatedFrom Upholds"),
    (Unit, 249, Word(JOB_MODES), "OnSuccessJobMode"),
    (
        Unit,
        250,
        Any,
        "AssertCPUPressure AssertIOPressure AssertMemoryPressure ConditionCPUPressure ConditionIOPressure \
         ConditionMemoryPressure",
    ),
    (Unit, 252, Any, "AssertCredential ConditionCredential"),
    (Unit, 255, Switch, "SurviveFinalKillSignal"),
    (Unit, 256, Any, "WantsMountsFor"),
    (
        Service,
        0,
        Any,
        "AppArmorProfile BlockIODeviceWeight BlockIOReadBandwidth BlockIOWriteBandwidth \
         CPUAffinity CPUQuota CPUSchedulingPolicy CPUShares CapabilityBoundingSet Delegate DeviceAllow \
         EnvironmentFile ExecReload ExecStartPost ExecStartPre ExecStop ExecStopPost Group IOSchedulingClass \
         InaccessibleDirectories KillSignal LimitAS LimitCORE LimitCPU LimitDATA LimitFSIZE LimitLOCKS \
         LimitMEMLOCK LimitMSGQUEUE LimitNICE LimitNOFILE LimitNPROC LimitRSS LimitRTPRIO LimitRTTIME \
         LimitSIGPENDING LimitSTACK MemoryLimit MountFlags PAMName PIDFile Personality ReadOnlyDirectories \
         ReadWriteDirectories RebootArgument RestartForceExitStatus RestartPreventExitStatus \
         RestrictAddressFamilies RootDirectory RuntimeDirectory SELinuxContext SecureBits Slice \
         SmackProcessLabel Sockets StandardError StandardInput StandardOutput StartupCPUShares \
         SuccessExitStatus SupplementaryGroups SyslogFacility SyslogIdentifier SyslogLevel \
         SystemCallArchitectures SystemCallErrorNumber SystemCallFilter TTYPath TimerSlackNSec UtmpIdentifier",
    ),
    (Service, 0, COUNT, "StartLimitBurst"),
    (Service, 0, Mode, "RuntimeDirectoryMode UMask"),
    (Service, 0, Number(-1000, 1000), "OOMScoreAdjust"),
    (Service, 0, Number(-20, 19), "Nice"),
    (Service, 0, Number(0, 7), "IOSchedulingPriority"),
    (Service, 0, Number(10, 1_000), "BlockIOWeight StartupBlockIOWeight"),
    (Service, 0, Number(0, 99), "CPUSchedulingPriority"),
    (Service, 0, Span, "StartLimitInterval TimeoutSec TimeoutStartSec TimeoutStopSec WatchdogSec"),
    (
        Service,
        0,
        Switch,
        "BlockIOAccounting CPUAccounting CPUSchedulingResetOnFork GuessMainPID IgnoreSIGPIPE MemoryAccounting \
         NoNewPrivileges NonBlocking PermissionsStartOnly PrivateDevices PrivateNetwork RemainAfterExit \
         RootDirectoryStartOnly SendSIGHUP SendSIGKILL SyslogLevelPrefix TTYReset TTYVHangup TTYVTDisallocate",
    ),
    (Service, 0, SwitchOr(PRIVATE_TMP), "PrivateTmp"),
    (Service, 0, SwitchOr(PROTECT_HOME), "ProtectHome"),
    (Service, 0, SwitchOr(PROTECT_SYSTEM), "ProtectSystem"),
    (Service, 0, Word(ACCESSES), "NotifyAccess"),
    (Service, 0, Word(ACTIONS), "FailureAction StartLimitAction"),
    (Service, 0, Word(DEVICE_POLICIES), "DevicePolicy"),
    (Service, 0, Word(KILL_MODES), "KillMode"),
    (Service, 0, Word(TYPES), "Type"),
    (Service, 219, COUNT, "FileDescriptorStoreMax"),
    (Service, 225, Word(UTMP_MODES), "UtmpMode"),
    (Service, 227, Any, "TasksMax USBFunctionDescriptors USBFunctionStrings"),
    (Service, 227, Switch, "TasksAccounting"),
    (Service, 228, Any, "PassEnvironment"),
    (Service, 229, Any, "AmbientCapabilities"),
    (Service, 229, Span, "RuntimeMaxSec"),
    (Service, 230, Any, "IODeviceWeight IOReadBandwidthMax IOReadIOPSMax IOWriteBandwidthMax IOWriteIOPSMax"),
    (Service, 230, WEIGHT, "IOWeight StartupIOWeight"),
    (Service, 230, Switch, "IOAccounting"),
    (Service, 231, Any, "InaccessiblePaths MemoryHigh MemoryLow MemoryMax ReadOnlyPaths ReadWritePaths"),
    (Service, 231, Switch, "MemoryDenyWriteExecute RestrictRealtime"),
    (Service, 232, Any, "CPUWeight MemorySwapMax StartupCPUWeight"),
    (Service, 232, Switch, "DynamicUser ProtectKernelModules ProtectKernelTunables RemoveIPC"),
    (Service, 232, SwitchOr(CONTROL_GROUPS), "ProtectControlGroups"),
    (Service, 232, SwitchOr(PRIVATE_USERS), "PrivateUsers"),
    (Service, 233, Any, "BindPaths BindReadOnlyPaths RestrictNamespaces RootImage"),
    (Service, 233, Switch, "MountAPIVFS"),
    (
        Service,
        235,
        Any,
        "CacheDirectory ConfigurationDirectory IPAddressAllow IPAddressDeny LogsDirectory StateDirectory \
         UnsetEnvironment",
    ),
    (Service, 235, Mode, "CacheDirectoryMode ConfigurationDirectoryMode LogsDirectoryMode StateDirectoryMode"),
    (Service, 235, Switch, "IPAccounting LockPersonality"),
    (Service, 235, SwitchOr(RESTART), "RuntimeDirectoryPreserve"),
    (Service, 235, Word(KEYRING_MODES), "KeyringMode"),
    (Service, 236, Any, "LogExtraFields LogLevelMax StandardInputData StandardInputText"),
    (Service, 238, Any, "TemporaryFileSystem"),
    (Service, 239, Switch, "PrivateMounts"),
    (Service, 240, Any, "DisableControllers FinalKillSignal IODeviceLatencyTargetSec MemoryMin WatchdogSignal"),
    (Service, 240, COUNT, "LogRateLimitBurst"),
    (Service, 240, Span, "LogRateLimitIntervalSec"),
    (Service, 242, Any, "CPUQuotaPeriodSec NetworkNamespacePath"),
    (Service, 242, Switch, "ProtectHostname RestrictSUIDSGID"),
    (
        Service,
        243,
        Any,
        "DefaultMemoryLow DefaultMemoryMin ExecCondition IPEgressFilterPath IPIngressFilterPath NUMAMask \
         NUMAPolicy",
    ),
    (Service, 243, Span, "TimeoutAbortSec"),
    (Service, 243, Word(OOM_POLICIES), "OOMPolicy"),
    (Service, 244, Any, "AllowedCPUs AllowedMemoryNodes RestartKillSignal"),
    (Service, 244, Span, "TimeoutCleanSec"),
    (Service, 244, Switch, "ProtectKernelLogs"),
    (Service, 245, Any, "LogNamespace"),
    (Service, 245, Switch, "ProtectClock"),
    (Service, 246, Any, "CoredumpFilter RootHash RootHashSignature RootVerity"),
    (Service, 246, Word(TIMEOUT_MODES), "TimeoutStartFailureMode TimeoutStopFailureMode"),
    (
        Service,
        247,
        Any,
        "LoadCredential ManagedOOMMemoryPressure ManagedOOMMemoryPressureLimit ManagedOOMSwap MountImages \
         RootImageOptions SetCredential SystemCallLog",
    ),
    (Service, 247, Word(PROC_SUBSET), "ProcSubset"),
    (Service, 247, Word(PROTECT_PROC), "ProtectProc"),
    (Service, 248, Any, "ExecPaths ExtensionImages IPCNamespacePath ManagedOOMPreference NoExecPaths"),
    (Service, 248, Switch, "PrivateIPC"),
    (Service, 249, Any, "BPFProgram SocketBindAllow SocketBindDeny"),
    (
        Service,
        250,
        Any,
        "ExecSearchPath LoadCredentialEncrypted RestrictFileSystems RestrictNetworkInterfaces \
         SetCredentialEncrypted StartupAllowedCPUs StartupAllowedMemoryNodes TTYColumns TTYRows",
    ),
    (Service, 250, Span, "RuntimeRandomizedExtraSec"),
    (Service, 250, Word(EXIT_TYPES), "ExitType"),
    (Service, 251, Any, "ExtensionDirectories"),
    (Service, 253, Any, "LogFilterPatterns MemoryZSwapMax OpenFile ReloadSignal"),
    (
        Service,
        254,
        Any,
        "DefaultStartupMemoryLow DelegateSubgroup ExtensionImagePolicy FileDescriptorStorePreserve \
         ImportCredential MemoryKSM MemoryPressureWatch MountImagePolicy RootImagePolicy StartupMemoryHigh \
         StartupMemoryLow StartupMemoryMax StartupMemorySwapMax StartupMemoryZSwapMax",
    ),
    (Service, 254, COUNT, "RestartSteps"),
    (Service, 254, Span, "MemoryPressureThresholdSec RestartMaxDelaySec"),
    (Service, 254, Switch, "RootEphemeral"),
    (Service, 254, Word(RESTART_MODES), "RestartMode"),
    (Service, 255, Any, "NFTSet SetLoginEnvironment"),
    (Service, 255, Switch, "CoredumpReceive"),
    (Service, 256, Switch, "MemoryZSwapWriteback"),
    (Service, 257, Any, "BindLogSockets ManagedOOMMemoryPressureDurationSec PrivatePIDs"),
    (Install, 0, Any, "Alias Also DefaultInstance RequiredBy WantedBy"),
    (Install, 254, Any, "UpheldBy"),
];
