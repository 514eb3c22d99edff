using Herd.Inference.Runtime;
using Herd.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.Runtimes.Tests;

/// <summary>Opening a model as the child of a probe does. Files that end the process are bench/fuzz-models'.</summary>
public sealed class ProbeTests : IDisposable
{
    private readonly ILlamaRuntime _native = NativeRuntime.Create(NullLoggerFactory.Instance);
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Probe_SoundModels_Pass()
    {
        Assert.True(_native.IsNative);
        _native.Probe(TinyModel.Write(_path));
        _native.Probe(Repository.RealModel);
    }

    [Fact]
    public void Probe_TensorMissing_IsRefused()
    {
        TinyModel.Write(_path, change: model => model.Set("llama.block_count", 3u));

        Assert.Contains(
            _path, Assert.Throws<ModelLoadException>(() => _native.Probe(_path)).Message, StringComparison.Ordinal);
    }
}
