using Herd.Testing;

namespace Herd.Contracts.Tests;

public sealed class ProtoTests
{
    private static readonly string Npm = Path.Combine(Repository.Root, "tests", "Contracts.Tests", "npm");
    private static readonly string Protos = Path.Combine(Repository.Root, "src", "Protocol", "Protos");

    [Fact]
    public async Task Lint_Protos_FindsNothing()
    {
        await Tool.Run(Npm, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");

        await Tool.Run(
            Protos,
            Path.Combine(Npm, "node_modules", ".bin", "buf"),
            "lint");
    }

    /// <summary>What was released stays readable. After a release: buf build -o tests/Contracts.Tests/released.binpb, in src/Protocol/Protos.</summary>
    [Fact]
    public async Task Breaking_SinceTheLastRelease_FindsNothing()
    {
        await Tool.Run(Npm, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");

        await Tool.Run(
            Protos,
            Path.Combine(Npm, "node_modules", ".bin", "buf"),
            "breaking",
            "--against",
            Path.Combine(Repository.Root, "tests", "Contracts.Tests", "released.binpb"));
    }
}
