using System.Globalization;
using Grpc.Core;
using Grpc.Net.Client;
using Herd.V1;

namespace Herd.Cluster.Tests;

/// <summary>The operators' key of 'herd up', which is configured by nobody.</summary>
[Collection(nameof(RealCluster))]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class OperatorKeyTests(RealCluster cluster)
{
    /// <summary>Another user of the machine finds the port, and has no key. The commands have it.</summary>
    [Fact]
    public async Task OperatorsPort_WithoutTheKeyOfHerdUp_Refuses()
    {
        using var channel =
            GrpcChannel.ForAddress($"http://127.0.0.1:{cluster.Port("gateway-1", "--Gateway:AdminPort")}");
        var stranger = new ClusterService.ClusterServiceClient(channel);

        foreach (var headers in new Metadata[] { [], new() { { "authorization", "Bearer guessed-key-0123456789" } } })
        {
            foreach (var call in new Func<Task>[]
            {
                async () => await stranger.ListNodesAsync(new ListNodesRequest(), headers),
                async () => await stranger.DrainNodeAsync(new DrainNodeRequest { Node = "node-1" }, headers),
                async () => await stranger.LoadModelAsync(
                    new LoadModelRequest { Node = "node-1", Model = "/etc/passwd" }, headers),
            })
            {
                Assert.Equal(
                    StatusCode.Unauthenticated, (await Assert.ThrowsAsync<RpcException>(call)).StatusCode);
            }
        }

        var nodes = await cluster.Run("nodes");
        Assert.True(nodes.ExitCode == 0, nodes.Error);
        Assert.Contains("node-2", nodes.Output, StringComparison.Ordinal);
    }

    /// <summary>The key is in one file of its user's. No command line and no environment has it.</summary>
    [Fact]
    public void Key_OfHerdUp_IsInItsFileOnly()
    {
        var file = Path.Combine(cluster.Home, "operator.key");
        var key = File.ReadAllText(file).Trim();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        foreach (var pid in new[] { "gateway-1", "node-1", "store" }.Select(cluster.Pid))
        {
            foreach (var what in new[] { "cmdline", "environ" })
            {
                var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{what}"));
                Assert.NotEmpty(text);
                Assert.DoesNotContain(key, text, StringComparison.Ordinal);
            }
        }

        Assert.DoesNotContain(
            key, File.ReadAllText(Path.Combine(cluster.Home, "run.json")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AuditTrail_AfterCalls_SaysWhoDidWhat()
    {
        await cluster.Run("drain", "node-2", "--preview");
        await cluster.Run("unload", "no-such\nnode");

        var lines = await Poll.Until(
            () => Task.FromResult(File.ReadLines(Path.Combine(cluster.Home, "logs", "gateway-1.log"))
                .Where(line => line.Contains("Herd.Audit", StringComparison.Ordinal)).ToList()),
            lines => lines.Any(line => line.Contains("UnloadModel", StringComparison.Ordinal)));
        Assert.Contains(lines, line => IsLine(line, "DrainNode (node node-2, preview): Ok"));
        Assert.Contains(lines, line => IsLine(line, "UnloadModel (node no-such?node): InvalidArgument"));
    }

    private static bool IsLine(string line, string end) =>
        line.EndsWith(end, StringComparison.Ordinal)
        && System.Text.RegularExpressions.Regex.IsMatch(line, "key [0-9a-f]{8} from 127.0.0.1 called ");
}
