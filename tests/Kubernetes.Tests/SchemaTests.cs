namespace Herd.Kubernetes.Tests;

/// <summary>Checks every object against the schema of its kind, KEDA's and the Gateway API's included.</summary>
public sealed class SchemaTests
{
    [Theory]
    [InlineData("dev", "herd-dev")]
    [InlineData("production", "herd")]
    public async Task Objects_OfOverlayAndChart_FitTheirSchemas(string overlay, string space)
    {
        foreach (var yaml in new[]
        {
            await Renderer.Overlay(overlay),
            await Renderer.Release(space, $"values-{overlay}.yaml"),
        })
        {
            Assert.Matches("^2[0-9] objects, 0 findings$", Assert.Single(await Renderer.Validate(yaml)));
        }
    }

    /// <summary>
    /// Schemas find what the strict client of Kubernetes does not: missing fields, and errors in objects of other APIs.
    /// </summary>
    [Fact]
    public async Task Objects_ThatDoNotFit_AreFound()
    {
        var yaml = (await Renderer.Overlay("production"))
            .Replace("maxReplicaCount: 8", "maxReplicaCount: many", StringComparison.Ordinal)
            .Replace("containerPort: 6379", "containerPorts: 6379", StringComparison.Ordinal);

        var findings = await Renderer.Validate(yaml);

        Assert.Equal(3, findings.Length);
        Assert.Contains(
            findings, finding => finding.StartsWith("ScaledObject herd-node-chat: ", StringComparison.Ordinal));
        Assert.Contains(findings, finding => finding.StartsWith("StatefulSet herd-store: ", StringComparison.Ordinal));
    }
}
