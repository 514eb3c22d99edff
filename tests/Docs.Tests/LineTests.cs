using Herd.Testing;

namespace Herd.Docs.Tests;

/// <summary>
/// Lines of scripts, manifests and project files end at 120 characters, as those of C# (HERD120) and of pages do.
/// JSON is excluded: its texts cannot be wrapped, and lock files are generated.
/// </summary>
public sealed class LineTests
{
    private const int MaxLength = 120;

    private static readonly string[] Extensions =
        [".mjs", ".yaml", ".yml", ".tpl", ".csproj", ".props", ".targets", ".proj", ".proto", ".sh"];

    private static readonly string[] Folders = [".ci", "bench", "docs", "k8s", "models", "native", "src", "tests"];

    public static TheoryData<string> Files =>
    [
        .. Directory.EnumerateFiles(Repository.Root)
            .Concat(Folders.SelectMany(folder => Directory.EnumerateFiles(
                Path.Combine(Repository.Root, folder), "*", SearchOption.AllDirectories)))
            .Select(file => Path.GetRelativePath(Repository.Root, file))
            .Where(file => !file.Contains("node_modules", StringComparison.Ordinal))
            .Where(file => Extensions.Contains(Path.GetExtension(file)) || IsScript(file))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void Lines_OfTheFile_AreAtMost120Characters(string file) => Assert.Empty(
        File.ReadLines(Path.Combine(Repository.Root, file))
            .Select((line, i) => (Text: line, Number: i + 1))
            .Where(line => line.Text.Length > MaxLength)
            .Select(line => $"{file}:{line.Number}: {line.Text}"));

    [Fact]
    public void Files_OfTheRepository_HaveEveryKind() => Assert.Empty(
        new[]
        {
            "test", "herd", ".ci/run", "bench/engine", "k8s/verify-image", "k8s/Dockerfile",
            "k8s/chart/templates/_helpers.tpl", "tests/Kubernetes.Tests/build-previous", "tests/report.mjs",
            "k8s/monitoring/alerts.yaml", "src/Cli/Cli.csproj", "Directory.Build.props", "native/Native.targets",
        }.Except(Files.Select(row => row.Data)));

    /// <summary>A file without an extension that begins with a comment: a script or a Dockerfile.</summary>
    private static bool IsScript(string file) =>
        Path.GetExtension(file).Length == 0
        && File.ReadLines(Path.Combine(Repository.Root, file)).FirstOrDefault()?.StartsWith('#') == true;
}
