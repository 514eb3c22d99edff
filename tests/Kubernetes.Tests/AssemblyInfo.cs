using Xunit.Sdk;
using Xunit.v3;

// Every scene has the machine for itself: two cores do not carry two clusters.
[assembly: Parallelization(Mode = ParallelMode.None)]
