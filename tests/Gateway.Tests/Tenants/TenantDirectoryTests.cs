using Herd.Gateway.Hosting;
using Herd.Gateway.Tenants;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Gateway.Tests.Tenants;

public sealed class TenantDirectoryTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-tenants-");
    private readonly FakeTimeProvider _time = new();

    private string TenantsFile => Path.Combine(_folder.FullName, "tenants.json");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Find_KeysConfigured_IsTheTenantOfTheKey()
    {
        using var directory = Make(new GatewayOptions
        {
            Tenants =
            {
                ["alice"] = $"{TenantKeys.Hash("key-a")}, {TenantKeys.Hash("key-a2")}",
                ["bob"] = TenantKeys.Hash("key-b").ToUpperInvariant(),
            },
            Operators = ["bob"],
            Limits = new TenantLimits { Streams = 3 },
        });

        Assert.Equal(new Tenant("alice", false, new TenantLimits { Streams = 3 }), await directory.Find("key-a"));
        Assert.Equal("alice", (await directory.Find("key-a2"))?.Name);
        Assert.Equal(
            ("bob", true), ((await directory.Find("key-b"))!.Name, (await directory.Find("key-b"))!.IsOperator));
        foreach (var wrong in new[] { null, "", "key-", "key-c", TenantKeys.Hash("key-a") })
        {
            Assert.Null(await directory.Find(wrong));
        }
    }

    [Fact]
    public async Task Find_NoKeysConfigured_IsTheDefaultTenant()
    {
        using var directory = Make(new GatewayOptions());

        Assert.Equal(
            ("default", true), ((await directory.Find(null))!.Name, (await directory.Find("any"))!.IsOperator));
    }

    [Fact]
    public async Task Find_FileChanges_UsesItWithoutRestart()
    {
        var key = TenantKeys.Hash("one");
        Write($$$"""
            {
              "carol": {
                "keys": ["{{{key}}}"],
                "operator": true,
                "limits": {"requests_per_minute": 7, "priority": "Background"}
              }
            }
            """);
        using var directory = Make(new GatewayOptions { TenantsFile = TenantsFile });
        var before = await directory.Find("one");

        Write($$$"""{"carol":{"keys":["{{{TenantKeys.Hash("another")}}}"]}}""");
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(("carol", true, 7), (before!.Name, before.IsOperator, before.Limits.RequestsPerMinute));
        Assert.Equal("carol", (await directory.Find("another"))?.Name);
        Assert.Null(await directory.Find("one"));
    }

    /// <summary>A damaged file neither admits nor refuses anybody.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"carol":{"keys":["plain"]}}""")]
    [InlineData("""{"carol":{"keys":[]}}""")]
    [InlineData("""{"carol":{"kyes":[]}}""")]
    [InlineData("""{"carol":null}""")]
    public async Task Find_FileBecomesInvalid_UsesTheOldOne(string content)
    {
        Write($$$"""{"carol":{"keys":["{{{TenantKeys.Hash("one")}}}"]}}""");
        using var directory = Make(new GatewayOptions { TenantsFile = TenantsFile });

        Write(content);
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal("carol", (await directory.Find("one"))?.Name);
        Assert.Null(await directory.Find("two"));
    }

    [Fact]
    public void Read_SeveralFaults_ReportsAll()
    {
        var key = TenantKeys.Hash("x");
        Write($$$"""{"a":{"keys":["plain"]},"b":{"keys":[]},"c":{"keys":["{{{key}}}"],"limits":{"streams":0} } }""");

        var message = Assert.Throws<InvalidDataException>(() => TenantFile.Read(TenantsFile)).Message;

        Assert.All(
            ["'a'", "'b'", "Streams to 1 or more; found 0"],
            part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    /// <summary>Kubernetes replaces mounted secrets by swapping a link.</summary>
    [Fact]
    public async Task Find_LinkIsSwapped_UsesTheNewFile()
    {
        foreach (var name in new[] { "one", "two" })
        {
            File.WriteAllText(
                Path.Combine(_folder.FullName, name), $$$"""{"{{{name}}}":{"keys":["{{{TenantKeys.Hash(name)}}}"]}}""");
        }

        File.CreateSymbolicLink(TenantsFile, Path.Combine(_folder.FullName, "one"));
        using var directory = Make(new GatewayOptions { TenantsFile = TenantsFile });
        File.Delete(TenantsFile);
        File.CreateSymbolicLink(TenantsFile, Path.Combine(_folder.FullName, "two"));
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal("two", (await directory.Find("two"))?.Name);
    }

    private TenantDirectory Make(GatewayOptions options) => new(
        Options.Create(options),
        new JwtTokens(Options.Create(options), _time),
        _time,
        NullLogger<TenantDirectory>.Instance);

    private void Write(string content)
    {
        File.WriteAllText(TenantsFile, content);
        File.SetLastWriteTimeUtc(TenantsFile, DateTime.UtcNow.AddSeconds(Random.Shared.Next(1, 1_000_000)));
    }
}
