using BenchmarkDotNet.Running;

BenchmarkSwitcher.FromAssembly(typeof(Herd.Micro.EventBenchmark).Assembly).Run(args);
