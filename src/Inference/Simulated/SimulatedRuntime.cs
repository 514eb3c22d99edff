using Herd.Inference.Runtime;

namespace Herd.Inference.Simulated;

/// <summary>
/// A runtime without weights that takes as long as a real one. It serves tests of scale and load, with a thousand nodes
/// in a process. Each token depends on all tokens before it, so a wrong KV cache changes the answer.
/// </summary>
/// <param name="timings">The simulated times.</param>
/// <param name="time">The time to wait on. Tests pass a fake one.</param>
public sealed class SimulatedRuntime(SimulatedTimings timings, TimeProvider time) : ILlamaRuntime
{
    public string Description => "simulated";

    public GpuSupport Gpu => GpuSupport.NotBuilt;

    /// <summary>Does nothing: every file is good, and every model fits.</summary>
    public long Check(string path, ModelOptions options, ContextOptions context, long released = 0) => 0;

    /// <summary>Loads a simulated model. The file does not have to exist.</summary>
    public ILlamaModel Load(
        string path, ModelOptions options, IProgress<float>? progress, CancellationToken cancellation)
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
