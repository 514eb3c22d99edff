using Herd.Inference.Runtime;

namespace Herd.Inference.Simulated;

/// <summary>
/// A runtime without weights that takes as long as a real one: for tests of scale and load, with a thousand nodes in a
/// process. What it says follows from every token before, so an answer shows whether its KV cache was right.
/// </summary>
/// <param name="timings">How long things take.</param>
/// <param name="time">What waits; with a fake one, time passes as the test says.</param>
public sealed class SimulatedRuntime(SimulatedTimings timings, TimeProvider time) : ILlamaRuntime
{
    public string Description => "simulated";

    public GpuSupport Gpu => GpuSupport.NotBuilt;

    /// <summary>Everything fits.</summary>
    public void RequireMemory(string path, ModelOptions options, ContextOptions context)
    {
    }

    /// <summary>Whatever the path, there need not be a file.</summary>
    public ILlamaModel Load(string path, ModelOptions options, IProgress<float>? progress, CancellationToken cancellation)
    {
        var pace = new Pace(timings.Speed, time);
        pace.Spend(timings.Load);
        cancellation.ThrowIfCancellationRequested();
        progress?.Report(1);
        return new SimulatedModel(timings, time);
    }
}

internal sealed class SimulatedModel(SimulatedTimings timings, TimeProvider time) : ILlamaModel
{
    private const int TrainedContext = 8192;

    public ModelInfo Info { get; } = new("simulated", TrainedContext, SimulatedVocabulary.ChatTemplate, 0, 0);

    public IVocabulary Vocabulary { get; } = new SimulatedVocabulary();

    public ILlamaContext CreateContext(ContextOptions options) => new SimulatedContext(options, timings, time);

    public void Dispose()
    {
    }
}
