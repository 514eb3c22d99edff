using Herd.Gateway.Hosting;
using Herd.Gateway.Tenants;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Gateway.Tests.Tenants;

public sealed class TenantDirectoryTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-tenants-");
    private readonly FakeTimeProvider _time = new(TokenIssuer.Now);
    private readonly TokenIssuer _issuer = new();
    private readonly AuditLines _lines = new();

    private string TenantsFile => Path.Combine(_folder.FullName, "tenants.json");

    public void Dispose()
    {
        _lines.Dispose();
        _issuer.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Find_KeysConfigured_IsTheTenantOfTheKey()
    {
        using var directory = Make(new GatewayOptions
        {
            Tenants =
            {
                ["alice"] = $"{TenantKeys.Hash("key-a")}, {TenantKeys.Hash("key-a2")}",
                ["bob"] = TenantKeys.Hash("key-b").ToUpperInvariant(),
                ["rita"] = TenantKeys.Hash("key-r"),
            },
            Operators = ["bob"],
            Readers = ["rita"],
            Limits = new TenantLimits { Streams = 3 },
        });

        Assert.Equal(
            new Tenant("alice", TenantRole.User, new TenantLimits { Streams = 3 }) { Key = "f10f781241e2" },
            await directory.Find("key-a"));
        Assert.Equal("alice", (await directory.Find("key-a2"))?.Name);
        Assert.Equal(
            [("bob", TenantRole.Operator), ("rita", TenantRole.Reader)],
            new[] { await directory.Find("key-b"), await directory.Find("key-r") }
                .Select(tenant => (tenant!.Name, tenant.Role)));
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
            ("default", TenantRole.User), ((await directory.Find(null))!.Name, (await directory.Find("any"))!.Role));
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

        Assert.Equal(("carol", TenantRole.Operator, 7), (before!.Name, before.Role, before.Limits.RequestsPerMinute));
        Assert.Equal("carol", (await directory.Find("another"))?.Name);
        Assert.Null(await directory.Find("one"));
    }

    /// <summary>Whoever issues tokens cannot name a tenant of the configuration, an operator least of all.</summary>
    [Fact]
    public async Task Find_TokenNamesATenant_IsAnotherTenant()
    {
        Write($$$"""{"olga":{"keys":["{{{TenantKeys.Hash("o")}}}"],"operator":true}}""");
        using var directory = Make(new GatewayOptions
        {
            TenantsFile = TenantsFile,
            Tenants = { ["alice"] = TenantKeys.Hash("a") },
            Operators = ["alice"],
            Jwt = _issuer.Options,
        });

        foreach (var name in new[] { "alice", "olga", "default" })
        {
            Assert.Equal(
                new Tenant($"jwt:{name}", TenantRole.User, new TenantLimits()) { Key = "jwt" },
                await directory.Find(_issuer.Sign(tenant: name)));
        }
    }

    /// <summary>Limits and roles of a token's tenant stand in the file under its whole name, without a key.</summary>
    [Fact]
    public async Task Find_TokensTenantInTheFile_HasItsLimitsAndRole()
    {
        Write("""{"jwt:alice":{"reader":true,"limits":{"streams":2}}}""");
        using var directory = Make(new GatewayOptions { TenantsFile = TenantsFile, Jwt = _issuer.Options });

        Assert.Equal(
            new Tenant("jwt:alice", TenantRole.Reader, new TenantLimits { Streams = 2 }) { Key = "jwt" },
            await directory.Find(_issuer.Sign()));
    }

    /// <summary>Without a prefix the names are those of version 0.1, and nobody gets a configured tenant.</summary>
    [Fact]
    public async Task Find_TokenWithoutPrefix_IsNeverATenantOfTheConfiguration()
    {
        var jwt = _issuer.Options;
        jwt.TenantPrefix = "";
        using var directory = Make(new GatewayOptions { Tenants = { ["alice"] = TenantKeys.Hash("a") }, Jwt = jwt });

        Assert.Null(await directory.Find(_issuer.Sign()));
        Assert.Equal("bob", (await directory.Find(_issuer.Sign(tenant: "bob")))?.Name);
    }

    [Fact]
    public void Reload_TenantsChange_LeavesALineForEach()
    {
        var (one, two) = (TenantKeys.Hash("one"), TenantKeys.Hash("two"));
        Write($$$"""
            {
              "carol": {"keys": ["{{{one}}}"]},
              "same": {"keys": ["{{{TenantKeys.Hash("s")}}}"]},
              "old": {"keys": ["{{{TenantKeys.Hash("x")}}}"]}
            }
            """);
        using var directory = Make(new GatewayOptions { TenantsFile = TenantsFile });

        Write($$$"""
            {
              "carol": {"keys": ["{{{two}}}"], "reader": true, "limits": {"streams": 1}},
              "same": {"keys": ["{{{TenantKeys.Hash("s")}}}"]},
              "new": {"keys": ["{{{one}}}"]}
            }
            """);
        _time.Advance(TimeSpan.FromSeconds(2));
        Write("{");
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(
            [
                $"{TenantsFile}: the tenant 'carol' changed (keys, role User to Reader, limits): OK",
                $"{TenantsFile}: the tenant 'new' was added: OK",
                $"{TenantsFile}: the tenant 'old' was removed: OK",
            ],
            _lines.All.SkipLast(1));
        Assert.StartsWith(
            $"{TenantsFile}: no tenant changed: {TenantsFile} cannot be read",
            _lines.All[^1],
            StringComparison.Ordinal);
        Assert.DoesNotContain(_lines.All, line => line.Contains(one, StringComparison.Ordinal));
    }

    /// <summary>A damaged file neither admits nor refuses anybody.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"carol":{"keys":["plain"]}}""")]
    [InlineData("""{"carol":{"keys":[]}}""")]
    [InlineData("""{"carol":{"kyes":[]}}""")]
    [InlineData("""{"carol":{"keys":null}}""")]
    [InlineData("""{"carol":{"operator":true}}""")]
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

        var message = Assert.Throws<InvalidDataException>(() => TenantFile.Read(TenantsFile, "jwt:")).Message;

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
        new Audit(_lines),
        _time,
        NullLogger<TenantDirectory>.Instance);

    private void Write(string content)
    {
        File.WriteAllText(TenantsFile, content);
        File.SetLastWriteTimeUtc(TenantsFile, DateTime.UtcNow.AddSeconds(Random.Shared.Next(1, 1_000_000)));
    }
}
