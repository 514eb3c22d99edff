using System.Diagnostics.Metrics;
using Herd.Grains.Accounting.Ledger;

namespace Herd.Gateway.Telemetry;

/// <summary>
/// What this gateway added to the ledger, by model. The sum over all gateways is the ledger's, because what was
/// recorded before is not added again. Tenants and keys are in the ledger only.
/// </summary>
internal sealed class UsageMetrics : IHostedService, IDisposable
{
    private readonly Meter _meter = new(GatewayMetrics.Name);
    private readonly Counter<long> _tokens;

    public UsageMetrics(UsageRecorder usage)
    {
        _tokens = _meter.CreateCounter<long>(
            "herd.usage.tokens", "{token}", "Tokens added to the ledger: input (cached ones too), cached, output.");
        _meter.CreateObservableGauge(
            "herd.usage.waiting", () => usage.Waiting, "{turn}", "Turns whose usage waits to be written.");
        _meter.CreateObservableCounter(
            "herd.usage.lost", () => usage.Lost, "{record}", "Records of usage that were lost: too many waited.");
        usage.Added += Add;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _meter.Dispose();

    private void Add(IReadOnlyList<UsageSum> added)
    {
        foreach (var model in added.GroupBy(sum => sum.Model))
        {
            Add(model.Key, "input", model.Sum(sum => sum.PromptTokens));
            Add(model.Key, "cached", model.Sum(sum => sum.CachedTokens));
            Add(model.Key, "output", model.Sum(sum => sum.CompletionTokens));
        }
    }

    /// <summary>A counter does not fall, not even when an answer began anew and became shorter.</summary>
    private void Add(string model, string type, long tokens)
    {
        if (tokens > 0)
        {
            _tokens.Add(
                tokens,
                new KeyValuePair<string, object?>("gen_ai.request.model", model),
                new KeyValuePair<string, object?>("gen_ai.token.type", type));
        }
    }
}
