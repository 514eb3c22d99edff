using System.Text.RegularExpressions;
using System.Xml.Linq;
using Herd.Testing;

namespace Herd.Docs.Tests;

/// <summary>Directory.Build.props holds the version. Files that cannot read it name the same.</summary>
public sealed partial class VersionTests
{
    public static TheoryData<string> Files =>
    [
        "k8s/chart/Chart.yaml",
        "k8s/chart/values-dev.yaml",
        "k8s/base/gateway.yaml",
        "k8s/pool/node.yaml",
        "k8s/overlays/dev/kustomization.yaml",
        "k8s/overlays/dev/store.yaml",
        "docs/quickstart-kubernetes.md",
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void Versions_OfTheFile_AreThatOfTheBuild(string file)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, file));
        var named = Named().Matches(text).Select(found => found.Groups[1].Value).ToList();

        Assert.NotEmpty(named);
        Assert.All(named, version => Assert.Equal(OfTheBuild(), version));
    }

    private static string OfTheBuild() =>
        XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props")).Descendants("Version").Single().Value;

    /// <summary>The version of the chart, or the tag of an image of Herd.</summary>
    [GeneratedRegex(@"(?:^version: |^appVersion: |herd/[a-z0-9.-]+:)(\d+\.\d+\.\d+)", RegexOptions.Multiline)]
    private static partial Regex Named();
}
