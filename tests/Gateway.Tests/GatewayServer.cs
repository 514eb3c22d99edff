using System.Collections.Concurrent;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Gateway.Hosting;
using Herd.Gateway.Tests.Requests;
using Herd.Grains.Accounting.Ledger;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Hosting;
using Herd.Grains.Routing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Herd.Gateway.Tests;

/// <summary>
/// A gateway's own pipeline and endpoints on its ports, in this process. Its grains and store are fakes that answer
/// every call at once. Everything that a gateway logs as an error is a failure of the test.
/// </summary>
public sealed class GatewayServer : IAsyncLifetime
{
    public const string Model = "tiny";

    private readonly FileInfo _key = new(Path.GetTempFileName());
    private readonly Failures _failures = new();
    private WebApplication? _app;

    public int HttpPort { get; } = Testing.Ports.Free();

    public int GrpcPort { get; } = Testing.Ports.Free();

    public IServiceProvider Services => _app!.Services;

    /// <summary>The errors that the gateway logged since the last look.</summary>
    public IReadOnlyList<string> TakeFailures() => _failures.Take();

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllBytesAsync(_key.FullName, new byte[32]);
        var builder = WebApplication.CreateSlimBuilder(
        [
            "--Cluster:Name=g",
            $"--Cluster:KeyFile={_key.FullName}",
            $"--Gateway:HttpPort={HttpPort}",
            $"--Gateway:GrpcPort={GrpcPort}",
            "--Gateway:AdminPort=0",
        ]);
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(_failures);
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        builder.AddHerdGateway();
        builder.AddGateway();

        // Only the web server runs: neither the silo nor what reads the store.
        builder.Services.RemoveAll<IHostedService>();
        builder.Services.AddSingleton(FakeGrains.Factory());
        builder.Services.AddSingleton(FakeGrains.New<IConversationStore>());
        builder.Services.AddSingleton(FakeGrains.New<IByteLimits>());
        builder.Services.AddSingleton(FakeGrains.New<IUsageLedger>());
        _app = builder.Build();
        _app.UseGateway();
        _app.MapGateway();
        await _app.StartAsync();
        _app.Services.GetRequiredService<NodeRegistry>().Update(new NodeReport
        {
            Node = "node-1",
            State = NodeState.Ready,
            ProcessId = 1,
            Runtime = "fake",
            Loaded = 1,
            Models =
            [
                new ServedModel
                {
                    Id = Model,
                    Description = "fake",
                    ContextTokens = 2048,
                    Defaults = new GenerationSettings(),
                    Slots = 4,
                },
            ],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _app!.DisposeAsync();
        _key.Delete();
        Assert.Empty(TakeFailures());
    }

    /// <summary>Keeps the errors that are logged.</summary>
    private sealed class Failures : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _texts = new();

        public List<string> Take()
        {
            var texts = new List<string>();
            while (_texts.TryDequeue(out var text))
            {
                texts.Add(text);
            }

            return texts;
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                _texts.Enqueue($"[{eventId.Id}] {formatter(state, exception)} {exception}");
            }
        }

        public void Dispose()
        {
            // There is nothing to dispose.
        }
    }
}
