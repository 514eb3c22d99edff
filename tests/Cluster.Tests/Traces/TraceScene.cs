using Herd.Testing;

namespace Herd.Cluster.Tests.Traces;

/// <summary>Two nodes and a gateway with the tiny model that export their spans to a collector.</summary>
public sealed class TraceScene : HerdCluster, IAsyncLifetime
{
    private string[] _options = [];

    internal TraceCollector Collector { get; } = new();

    public async ValueTask InitializeAsync()
    {
        SetEnvironment("OTEL_EXPORTER_OTLP_ENDPOINT", Collector.Endpoint);
        SetEnvironment("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
        SetEnvironment("OTEL_BSP_SCHEDULE_DELAY", "100");

        // An export that takes longer is lost. On a busy machine the first ones do.
        SetEnvironment("OTEL_BSP_EXPORT_TIMEOUT", "120000");
        SetEnvironment("OTEL_EXPORTER_OTLP_TIMEOUT", "120000");
        SetEnvironment("Cluster__LogFormat", "Json");
        _options = ["--model", TinyModel.Write(NewPath("tiny.gguf"))];
        await Restore();
    }

    /// <summary>Starts the processes that a test ended.</summary>
    public Task Restore() => Up(_options);

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        await Collector.DisposeAsync();
    }
}
