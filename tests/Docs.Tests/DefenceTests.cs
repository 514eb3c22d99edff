using System.Text.Json;
using Herd.Testing;

namespace Herd.Docs.Tests;

/// <summary>The table of tests/mutate-defences fits docs/security.md and the code.</summary>
public sealed class DefenceTests
{
    private static readonly List<Defence> Defences = JsonSerializer.Deserialize<List<Defence>>(
        File.ReadAllText(Path.Combine(Repository.Root, "tests", "defences.json")), JsonSerializerOptions.Web)!;

    [Fact]
    public void Rows_OfThePage_AreThoseOfTheTable() => Assert.Equal(
        File.ReadLines(Path.Combine(Repository.Root, "docs", "security.md"))
            .SkipWhile(line => !line.StartsWith("| attack |", StringComparison.Ordinal))
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Split(" | ")[0].TrimStart('|', ' ')),
        Defences.Select(defence => defence.Row).Distinct());

    [Fact]
    public void Find_OfEachDefence_IsOnceInItsFile() => Assert.All(Defences, defence => Assert.Equal(
        2, File.ReadAllText(Path.Combine(Repository.Root, defence.File)).Split(defence.Find).Length));

    private sealed record Defence(string Row, string File, string Find);
}
