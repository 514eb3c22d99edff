using Herd.Inference.Runtime;
using Herd.Inference.Simulated;
using Herd.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.Runtimes.Tests;

/// <summary>Every runtime of this build, with the tiny model loaded.</summary>
public sealed class Runtimes : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("herd-tests-");
    private readonly Dictionary<string, ILlamaModel> _models = [];

    public Runtimes()
    {
        var path = TinyModel.Write(Path.Combine(_directory.FullName, "tiny.gguf"));
        Load("native", NativeRuntime.Create(NullLoggerFactory.Instance), path);
        Load("simulated", new SimulatedRuntime(new SimulatedTimings { Speed = 1e6 }, TimeProvider.System), path);
    }

    public static TheoryData<string> Names { get; } = ["native", "simulated"];

    public ILlamaModel this[string name] => _models[name];

    public void Dispose()
    {
        foreach (var model in _models.Values)
        {
            model.Dispose();
        }

        _directory.Delete(recursive: true);
    }

    private void Load(string name, ILlamaRuntime runtime, string path) =>
        _models.Add(name, runtime.Load(path, new ModelOptions(), null, CancellationToken.None));
}
