using Herd.Inference.Runtime;
using Herd.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.LlamaCpp.Tests;

/// <summary>
/// The models the tests share: the tiny one, made for the run, and the real one the repository carries.
/// </summary>
public sealed class Models : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("herd-tests-");

    public Models()
    {
        Runtime = new LlamaCppRuntime(NullLogger<LlamaCppRuntime>.Instance);
        TinyPath = TinyModel.Write(Path.Combine(_directory.FullName, "tiny.gguf"));
        Tiny = Runtime.Load(TinyPath, new ModelOptions(), null, CancellationToken.None);
        Real = Runtime.Load(Repository.RealModel, new ModelOptions(), null, CancellationToken.None);
    }

    public ILlamaRuntime Runtime { get; }

    public string TinyPath { get; }

    public ILlamaModel Tiny { get; }

    public ILlamaModel Real { get; }

    /// <summary>A path for a file of a test's own.</summary>
    public string NewPath(string name) => Path.Combine(_directory.FullName, $"{Guid.NewGuid():N}-{name}");

    public void Dispose()
    {
        Tiny.Dispose();
        Real.Dispose();
        _directory.Delete(recursive: true);
    }
}

[CollectionDefinition(nameof(Models))]
public sealed class ModelsCollection : ICollectionFixture<Models>;
