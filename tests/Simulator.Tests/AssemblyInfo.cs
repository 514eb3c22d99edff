using Xunit.Sdk;
using Xunit.v3;

// Each test runs two simulations, one a core. A simulation hands work from one thread to another at every step, so more
// of them than cores wait for each other.
[assembly: Parallelization(Mode = ParallelMode.None)]
