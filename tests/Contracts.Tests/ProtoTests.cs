using Herd.Testing;

namespace Herd.Contracts.Tests;

public sealed class ProtoTests
{
    [Fact]
    public async Task Lint_Protos_FindsNothing()
    {
        var tests = Path.Combine(Repository.Root, "tests", "Contracts.Tests", "npm");
        await Tool.Run(tests, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");

        await Tool.Run(
            Path.Combine(Repository.Root, "src", "Contracts", "Protos"),
            Path.Combine(tests, "node_modules", ".bin", "buf"),
            "lint");
    }
}
