using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Nodes;
using Herd.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.Grains.Tests.Nodes;

/// <summary>What a node may be told to load, and what is checked before it is emptied.</summary>
public sealed class ModelSwitchTests : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-switch-");
    private readonly SimulatedHost _node = new();
    private readonly List<string> _drained = [];
    private readonly ModelSwitch _switch;

    public ModelSwitchTests()
    {
        _node.Node.Value.AllowPaths = [Path.Combine(_folder.FullName, "allowed"), File("single.gguf")];
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "allowed"));
        _switch = new ModelSwitch(
            _node.Host,
            new NodeModels(SimulatedHost.Runtime, _node.Node, _node.Cluster, SimulatedHost.Probe),
            Replace,
            _node.Lifetime,
            NullLogger<ModelSwitch>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("allowed/other.gguf", "other")]
    [InlineData("allowed/deep/er.gguf", "er")]
    [InlineData("allowed/../allowed/x.gguf", "x")]
    [InlineData("single.gguf", "single")]
    public async Task Begin_AllowedFile_IsServed(string file, string id)
    {
        await _node.Start();
        Directory.CreateDirectory(Path.GetDirectoryName(File(file))!);
        TinyModel.Write(File(file), seed: 2);

        _switch.Begin(File(file));
        var load = await Over();

        Assert.Equal((2, id, LoadStage.Served, null), (load.Number, load.Model, load.Stage, load.Failure));
        Assert.Equal([id], _node.Host.Report().Models.Select(model => model.Id));
    }

    /// <summary>The file that the node was started with, and none, are allowed always.</summary>
    [Fact]
    public async Task Begin_UnloadThenTheFirstFileAgain_IsServed()
    {
        await _node.Start();

        _switch.Begin("");
        Assert.Equal(("", LoadStage.Served), ((await Over()).Model, _node.Host.Report().Load!.Stage));
        Assert.Empty(_node.Host.Report().Models);

        _switch.Begin(_node.Node.Value.Model);
        Assert.Equal((3, "tiny"), ((await Over()).Number, _node.Host.Report().Models.Single().Id));
    }

    /// <summary>Whether such a file exists is not told.</summary>
    [Theory]
    [InlineData("/etc/passwd", HerdError.Forbidden)]
    [InlineData("/no/such/file", HerdError.Forbidden)]
    [InlineData("secret.gguf", HerdError.Forbidden)]
    [InlineData("allowed-not/x.gguf", HerdError.Forbidden)]
    [InlineData("allowed/../secret.gguf", HerdError.Forbidden)]
    [InlineData("single.gguf/x", HerdError.ModelNotFound)]
    [InlineData("allowed/missing.gguf", HerdError.ModelNotFound)]
    [InlineData("allowed", HerdError.ModelNotFound)]
    [InlineData("gpt-7", HerdError.ModelNotFound)]
    [InlineData("a\0b", HerdError.ModelNotFound)]
    public async Task Begin_FileThatMayNotBeLoaded_IsRefusedAndChangesNothing(string model, HerdError error)
    {
        await _node.Start();
        TinyModel.Write(File("secret.gguf"));
        var name = model.Contains(".gguf", StringComparison.Ordinal) || model == "allowed" ? File(model) : model;

        var refusal = Assert.Throws<HerdException>(() => _switch.Begin(name));

        Assert.Equal((error, "model"), (refusal.Error, refusal.Parameter));
        AssertUnchanged(1);
    }

    /// <summary>Weights other than the catalog's never get the name of one of its models.</summary>
    [Fact]
    public async Task Begin_FileNamedAsAModelOfTheCatalog_IsRefused()
    {
        await _node.Start();
        TinyModel.Write(File("allowed/smollm2-135m-instruct.gguf"));

        var refusal = Assert.Throws<HerdException>(() => _switch.Begin(File("allowed/smollm2-135m-instruct.gguf")));

        Assert.Contains("the name of another file in the catalog", refusal.Message, StringComparison.Ordinal);
        AssertUnchanged(1);
    }

    /// <summary>The catalog's file is the catalog's model by any name, so its digest is compared.</summary>
    [Fact]
    public async Task Begin_ModelOfTheCatalogWithAnotherDigest_FailsBeforeTheDrain()
    {
        await _node.Start();
        var path = TinyModel.Write(File("mine.gguf"));
        var catalog = File("catalog.json");
        await System.IO.File.WriteAllTextAsync(
            catalog,
            $$"""{"version":1,"models":[{"id":"mine","file":"mine.gguf","sha256":"{{new string('0', 64)}}","""
            + """ "context_length":1,"licence":"none","source":"none","sampling":{} }]}""",
            TestContext.Current.CancellationToken);
        _node.Node.Value.Catalog = catalog;

        foreach (var (name, number) in new[] { ("mine", 2), (path, 3) })
        {
            _switch.Begin(name);
            var load = await Over();
            Assert.Equal((number, "mine", LoadStage.Failed), (load.Number, load.Model, load.Stage));
            Assert.Contains("is not the catalog's file", load.Failure, StringComparison.Ordinal);
            AssertUnchanged(number);
        }
    }

    [Fact]
    public async Task Begin_AnotherLoadIsNotOver_IsRefused()
    {
        await _node.Start();
        _node.Host.BeginLoad("first");

        Assert.Equal(HerdError.Unavailable, Assert.Throws<HerdException>(() => _switch.Begin("")).Error);
        Assert.Equal("first", _node.Host.Report().Load!.Model);
    }

    [Fact]
    public async Task Begin_NodeDrains_IsRefused()
    {
        await _node.Start();
        _node.Host.BeginDrain();

        Assert.Equal(HerdError.Unavailable, Assert.Throws<HerdException>(() => _switch.Begin("")).Error);
        AssertLoad(1);
    }

    private string File(string name) => Path.Combine(_folder.FullName, name);

    private Task Replace(string model)
    {
        _drained.Add(model);
        _node.Host.BeginDrain();
        _node.Host.Replace(model);
        return Task.CompletedTask;
    }

    private async Task<ModelLoad> Over()
    {
        await _node.Until(report => report.Load!.IsOver);
        return _node.Host.Report().Load!;
    }

    private void AssertLoad(int number) => Assert.Equal(number, _node.Host.Report().Load!.Number);

    private void AssertUnchanged(int number)
    {
        Assert.Empty(_drained);
        Assert.Equal(
            (NodeState.Ready, "tiny"), (_node.Host.Report().State, _node.Host.Report().Models.Single().Id));
        AssertLoad(number);
    }
}
