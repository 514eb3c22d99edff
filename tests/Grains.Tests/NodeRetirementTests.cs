using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;
using Herd.Grains.Nodes;
using Herd.Grains.Nodes.Drain;
using Herd.Inference.Generation;
using Herd.Inference.Simulated;
using Herd.Testing;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests;

public sealed class NodeRetirementTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private readonly TaskCompletionSource _emptied = new();
    private readonly string _model = Path.Combine(Directory.CreateTempSubdirectory("herd-retirement-").FullName, "tiny.gguf");
    private readonly NodeHost _host;
    private readonly NodeRetirement _retirement;
    private CancellationToken _emptying;

    public NodeRetirementTests()
    {
        _host = new NodeHost(
            new SimulatedRuntime(new SimulatedTimings(), TimeProvider.System),
            Options.Create(new NodeOptions { Model = TinyModel.Write(_model), Catalog = Path.Combine(Repository.Root, "models", "catalog.json") }),
            Options.Create(new ClusterOptions { Name = "node-1" }),
            new EngineThread(),
            (_, _, _) => Task.CompletedTask,
            TimeProvider.System,
            NullLoggerFactory.Instance,
            new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance));
        _retirement = new NodeRetirement(
            _host,
            cancellation =>
            {
                _emptying = cancellation;
                return _emptied.Task;
            },
            _time);
    }

    public async ValueTask InitializeAsync()
    {
        await _host.StartAsync(TestContext.Current.CancellationToken);
        while (_host.Report().State != NodeState.Ready)
        {
            await _host.Changed.WaitAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public void Renew_AgainAndAgain_StaysNotReadyAndTellsWhenItIsEmpty()
    {
        Assert.False(_retirement.Renew());
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(20));
            Assert.False(_retirement.Renew());
        }

        _emptied.SetResult();

        Assert.True(_retirement.Renew());
        Assert.Equal(NodeState.Draining, _host.Report().State);
    }

    [Fact]
    public void Renew_NoMore_ServesAgain()
    {
        _retirement.Renew();
        _time.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(NodeState.Ready, _host.Report().State);
        Assert.True(_emptying.IsCancellationRequested);
        Assert.False(_retirement.Renew());
        Assert.Equal(NodeState.Draining, _host.Report().State);
    }

    [Fact]
    public void Renew_NodeDrainsAlready_IsRefused()
    {
        _host.BeginDrain();

        Assert.Equal(HerdError.Unavailable, Assert.Throws<HerdException>(() => _retirement.Renew()).Error);
    }

    public async ValueTask DisposeAsync()
    {
        _retirement.Dispose();
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
        Directory.Delete(Path.GetDirectoryName(_model)!, recursive: true);
    }
}
