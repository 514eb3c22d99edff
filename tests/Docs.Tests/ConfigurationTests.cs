using Herd.Testing;

namespace Herd.Docs.Tests;

/// <summary>docs/configuration.md is what the options' classes say.</summary>
public sealed class ConfigurationTests
{
    private const string Update = "HERD_UPDATE_DOCS";

    private static readonly string Page = Path.Combine(Repository.Root, "docs", "configuration.md");

    [Fact]
    public async Task Page_OfTheSettings_IsUpToDate()
    {
        var rendered = ConfigurationPage.Render();
        if (Environment.GetEnvironmentVariable(Update) == "1")
        {
            await File.WriteAllTextAsync(Page, rendered, TestContext.Current.CancellationToken);
        }

        var written = await File.ReadAllTextAsync(Page, TestContext.Current.CancellationToken);
        Assert.True(
            written == rendered,
            $"docs/configuration.md is out of date. Write it: {Update}=1 dotnet run --project tests/Docs.Tests");
    }
}
