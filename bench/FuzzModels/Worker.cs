using Herd.Inference.Models.Probing;
using Herd.Inference.Runtime;
using Herd.LlamaCpp;
using Herd.LlamaCpp.Native;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.FuzzModels;

/// <summary>
/// The process that dies. It reads commands, one a line, and answers each with a line: "probe PATH" opens a file as the
/// child of a node does, "serve PATH" loads it and computes with it as a node does, "make HEADER PATH" has llama.cpp
/// add the tensors of a header.
/// </summary>
internal static class Worker
{
    public const string Mode = "worker";
    public const string Passed = "passed";
    public const string Refused = "refused";

    public static int Run()
    {
        var runtime = new LlamaCppRuntime(NullLogger<LlamaCppRuntime>.Instance);
        Native.UseLibraries();
        ProcessLimits.LimitMemory();
        while (Console.In.ReadLine() is { } line)
        {
            Console.Out.WriteLine(Answer(runtime, line.Split(' ')));
        }

        return 0;
    }

    /// <summary>Loads a file as a node does, with its size of context, and computes with it.</summary>
    private static void Serve(LlamaCppRuntime runtime, string path)
    {
        using var model = runtime.Load(path, new ModelOptions { GpuLayers = 0 }, null, CancellationToken.None);
        using var context = model.CreateContext(new ContextOptions { CellsPerSequence = 512, Threads = 1 });
        ProbeRun.Compute(model);
        var batch = new TokenBatch(context.BatchTokens);
        for (var i = 0; i < context.BatchTokens; i++)
        {
            batch.Add(i % model.Vocabulary.Count, i / context.Sequences, i % context.Sequences, output: i % 2 == 0);
        }

        context.Decode(batch);
    }

    private static string Answer(LlamaCppRuntime runtime, string[] command)
    {
        try
        {
            switch (command)
            {
                case ["make", var header, var path]:
                    return Native.Complete(header, path) ? Passed : $"{Refused} {NativeLog.TakeErrors()}";
                case ["probe", var path]:
                    runtime.Probe(path);
                    return Passed;
                case ["serve", var path]:
                    Serve(runtime, path);
                    return Passed;
                default:
                    throw new InvalidOperationException($"The command '{string.Join(' ', command)}' is unknown.");
            }
        }
        catch (Exception e) when (e is ModelLoadException or DecodeException)
        {
            return $"{Refused} {e.Message.ReplaceLineEndings(" ")}";
        }
    }
}
