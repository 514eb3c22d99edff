using Herd.Inference.Models;
using Herd.Inference.Runtime;
using Herd.Testing;

namespace Herd.Inference.Tests.Models;

public sealed class ModelCatalogTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("herd-tests-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Read_CatalogOfRepository_FindsModel()
    {
        var catalog = ModelCatalog.Read(Path.Combine(Repository.Root, "models", "catalog.json"));

        var source = catalog.Find("smollm2-135m-instruct");

        Assert.Equal(Repository.RealModel, source.Path);
        Assert.Equal(0.2f, source.Sampling.Temperature);
        Assert.Equal(0.9f, source.Sampling.TopP);
        Assert.Equal(8192, catalog.Models[0].ContextLength);
    }

    [Fact]
    public void Find_UnknownModel_NamesTheKnownOnes()
    {
        var catalog = ModelCatalog.Read(Path.Combine(Repository.Root, "models", "catalog.json"));

        var error = Assert.Throws<InvalidDataException>(() => catalog.Find("gpt-7"));

        Assert.Contains("gpt-7", error.Message, StringComparison.Ordinal);
        Assert.Contains("smollm2-135m-instruct", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A file gets a model's name only if it is that model's, whose digest is compared.</summary>
    [Fact]
    public void Find_FileWithAModelsName_IsThatModelOrRefused()
    {
        var catalog = ModelCatalog.Read(Path.Combine(Repository.Root, "models", "catalog.json"));

        Assert.Equal(catalog.Find("smollm2-135m-instruct"), catalog.Find(Repository.RealModel));
        Assert.NotNull(catalog.Find(Repository.RealModel).Sha256);
        foreach (var name in new[] { "smollm2-135m-instruct.gguf", "smollm2-135m-instruct.bin" })
        {
            var error = Assert.Throws<InvalidDataException>(() => catalog.Find(Write(name, "others")));
            Assert.Contains("Rename the file", error.Message, StringComparison.Ordinal);
        }

        Assert.Null(catalog.Find(Write("other.gguf", "others")).Sha256);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"version":2,"models":[]}""")]
    [InlineData("""{"version":1,"models":[{"id":"a"}]}""")]
    [InlineData("""{"version":1,"models":[],"modles":[]}""")]
    public void Read_NoCatalog_IsRefused(string json)
    {
        Assert.Throws<InvalidDataException>(() => ModelCatalog.Read(Write("catalog.json", json)));
    }

    [Fact]
    public async Task Verify_FileOfCatalog_Passes()
    {
        var catalog = ModelCatalog.Read(Path.Combine(Repository.Root, "models", "catalog.json"));

        await ModelHash.Verify(catalog.Find("smollm2-135m-instruct"), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Verify_OneByteChanged_NamesBothHashes()
    {
        const string HashOfHerd = "fb01d5e8c5a8c7fa9ac8f1a2ae3dd6e8aab5ae4f2f2b6b6e1dc3a0c5a7f4f0f0";
        var source = new ModelSource("a", Write("a.gguf", "herd"), HashOfHerd, new SamplingDefaults());

        var error = await Assert.ThrowsAsync<ModelLoadException>(
            () => ModelHash.Verify(source, TestContext.Current.CancellationToken));

        Assert.Contains(HashOfHerd, error.Message, StringComparison.Ordinal);
        Assert.Contains(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("herd"u8)),
            error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_MissingFile_NamesIt()
    {
        var source = new ModelSource("a", Path.Combine(_directory.FullName, "none.gguf"), null, new SamplingDefaults());

        await Assert.ThrowsAsync<ModelLoadException>(
            () => ModelHash.Verify(source, TestContext.Current.CancellationToken));
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_directory.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
