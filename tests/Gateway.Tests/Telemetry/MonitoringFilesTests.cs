using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Herd.Gateway.Telemetry;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Herd.Testing;

namespace Herd.Gateway.Tests.Telemetry;

/// <summary>The dashboard and the alerts of k8s/monitoring use metrics that gateways export, and no others.</summary>
public sealed partial class MonitoringFilesTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "k8s", "monitoring");

    [Theory]
    [InlineData("alerts.yaml")]
    [InlineData("dashboard.json")]
    public void Names_OfEveryExpression_AreExported(string file)
    {
        var names = Name().Matches(File.ReadAllText(Path.Combine(Folder, file)))
            .Select(found => found.Value)
            .Distinct()
            .Except(Labels)
            .ToList();

        Assert.True(names.Count > 5);
        Assert.Empty(names.Except(Exported()));
    }

    [Fact]
    public void Dashboard_Panels_HaveIdsAndPositionsOfTheirOwn()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "dashboard.json")));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToList();

        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.Equal(
            panels.Count, panels.Select(panel => panel.GetProperty("gridPos").GetRawText()).Distinct().Count());
    }

    private static readonly string[] Labels = ["gen_ai_request_model", "gen_ai_token_type"];

    /// <summary>
    /// The instruments of a gateway by their names in Prometheus. AccessTests.Metrics_* checks a real gateway.
    /// </summary>
    private static HashSet<string> Exported()
    {
        using var metrics = new GatewayMetrics(new NodeRegistry(Pools.None, TimeProvider.System), () => [], () => 0);
        var names = new HashSet<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == GatewayMetrics.Name)
                {
                    names.UnionWith(NamesOf(instrument));
                }
            },
        };
        listener.Start();
        return names;
    }

    private static IEnumerable<string> NamesOf(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_');
        return instrument switch
        {
            Histogram<double> { Unit: "s" } =>
                [$"{name}_seconds_bucket", $"{name}_seconds_count", $"{name}_seconds_sum"],
            Counter<long> or ObservableCounter<long> => [$"{name}_total"],
            { Unit: "s" } => [$"{name}_seconds"],
            _ => [name],
        };
    }

    [GeneratedRegex("(herd|gen_ai)_[a-z_]+")]
    private static partial Regex Name();
}
