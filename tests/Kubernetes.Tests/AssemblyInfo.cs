using System.Runtime.Versioning;
using Xunit.Sdk;
using Xunit.v3;

// Tests run one after the other: two cores are not enough for two clusters.
[assembly: Parallelization(Mode = ParallelMode.None)]
[assembly: SupportedOSPlatform("linux")]
