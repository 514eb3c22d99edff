using System.CommandLine;
using System.Reflection;
using System.Text.RegularExpressions;
using Herd.Testing;

namespace Herd.Docs.Tests;

/// <summary>The pages name only files, headings, commands, settings and tests that exist.</summary>
public sealed partial class LinkTests
{
    private static readonly string[] Roots =
        ["src/", "docs/", "tests/", "bench/", "k8s/", "native/", "models/", ".ci/"];

    public static TheoryData<string> AllPages => [.. Pages.All];

    [Theory]
    [MemberData(nameof(AllPages))]
    public void Links_OfThePage_LeadSomewhere(string page) => Assert.All(
        Link().Matches(Pages.WithoutBlocks(page)).Select(found => found.Groups[1].Value)
            .Where(link => !link.StartsWith("http", StringComparison.Ordinal)),
        link =>
        {
            var (path, heading) = link.Split('#') is [var before, var after] ? (before, after) : (link, "");
            var target = path.Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, path);
            Assert.True(
                Path.Exists(Path.Combine(Repository.Root, target)), $"{page} links to {link}, which is not there.");
            Assert.True(
                heading.Length == 0 || Anchors(target).Contains(heading),
                $"{page} links to {link}, which has no such heading.");
        });

    [Theory]
    [MemberData(nameof(AllPages))]
    public void Paths_OfThePage_Exist(string page) => Assert.All(
        Pages.Code(page).SelectMany(code => code.Split(' '))
            .Where(word => Roots.Any(root => word.StartsWith(root, StringComparison.Ordinal))),
        path => Assert.True(Exists(path), $"{page} names {path}, which is not there."));

    [Theory]
    [MemberData(nameof(AllPages))]
    public void Commands_OfThePage_AreHerds(string page)
    {
        var known = Commands();
        Assert.Contains("up", known);
        Assert.All(
            Pages.Code(page).Concat(Pages.Blocks(page)).SelectMany(code => Herd().Matches(code))
                .Select(found => found.Groups[1].Value),
            command => Assert.True(known.Contains(command), $"{page} names 'herd {command}', which is no command."));
    }

    /// <summary>Settings by their key or their environment variable.</summary>
    [Theory]
    [MemberData(nameof(AllPages))]
    public void Settings_OfThePage_AreOptions(string page)
    {
        var known = ConfigurationPage.Rows.Select(row => Plain(row.Key)).ToHashSet(StringComparer.Ordinal);
        Assert.All(
            Pages.Code(page).Concat(Pages.Blocks(page)).SelectMany(code => Setting().Matches(code))
                .Select(found => Plain(found.Value.Replace("__", ":", StringComparison.Ordinal))),
            key => Assert.True(
                known.Any(setting => setting == key || setting.StartsWith(key + ':', StringComparison.Ordinal)),
                $"{page} names the setting {key}, which is none."));
    }

    /// <summary>Tests by their class, or class and method; '*' stands for the rest of a method's name.</summary>
    [Theory]
    [MemberData(nameof(AllPages))]
    public void Tests_OfThePage_Exist(string page) => Assert.All(
        Pages.Code(page).Select(code => Test().Match(code)).Where(found => found.Success),
        found => Assert.True(
            TestNames.Exists(found.Groups["class"].Value, found.Groups["method"].Value),
            $"{page} names the test {found.Value}, which is not there."));

    [Theory]
    [InlineData(nameof(LinkTests), "", true)]
    [InlineData("Link", "", false)]
    [InlineData(nameof(LinkTests), nameof(Links_OfThePage_LeadSomewhere), true)]
    [InlineData(nameof(LinkTests), "Links_OfThePage_*", true)]
    [InlineData(nameof(LinkTests), "Links_OfThePage", false)]
    [InlineData(nameof(LineTests), nameof(Links_OfThePage_LeadSomewhere), false)]
    [InlineData(nameof(LinkTests), "Exists", false)]
    [InlineData("GarnetConversationStoreTests", "Write_NewConversation_*", true)]
    public void Exists_ClassAndMethod_IsTrueForThatClassOnly(string name, string method, bool isThere) =>
        Assert.Equal(isThere, TestNames.Exists(name, method));

    /// <summary>Rows of tables and code cannot be wrapped.</summary>
    [Theory]
    [MemberData(nameof(AllPages))]
    public void Lines_OfThePage_AreAtMost120Characters(string page) => Assert.All(
        Pages.WithoutBlocks(page).Split('\n').Where(line => !line.StartsWith('|')),
        line => Assert.True(line.Length <= 120, $"{page}: {line}"));

    private static bool Exists(string path)
    {
        path = path.TrimEnd('.', ',', ';', ':', '/');
        var star = path.IndexOf('*', StringComparison.Ordinal);
        path = star < 0 ? path : path[..path.LastIndexOf('/', star)];
        return Placeholder().IsMatch(path) || Path.Exists(Path.Combine(Repository.Root, path));
    }

    /// <summary>The names of all commands, by the classes that create them.</summary>
    private static HashSet<string> Commands() => Assembly.Load("herd").GetTypes()
        .Where(type => type.Namespace == "Herd.Cli.Commands")
        .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
        .Where(method => method.ReturnType == typeof(Command) && method.GetParameters().Length == 0)
        .Select(method => ((Command)method.Invoke(null, null)!).Name)
        .ToHashSet(StringComparer.Ordinal);

    /// <summary>The anchors of a page's headings, as GitHub makes them.</summary>
    private static HashSet<string> Anchors(string page) => Heading().Matches(Pages.WithoutBlocks(page))
        .Select(found => NotInAnchors().Replace(found.Groups[1].Value.ToLowerInvariant(), "").Replace(' ', '-'))
        .ToHashSet(StringComparer.Ordinal);

    /// <summary>A key without the numbers and names in it.</summary>
    private static string Plain(string key) => Instance().Replace(key, "");

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"(?:^|\./)herd ([a-z]+)\b", RegexOptions.Multiline)]
    private static partial Regex Herd();

    [GeneratedRegex(@"\b(Cluster|Node|Gateway|Routing|Rebalance|Scaling)(:|__)[A-Z]\w*((:|__)\w+)*")]
    private static partial Regex Setting();

    [GeneratedRegex(@"(:(?:\d+|NAME|N|alice))|:$")]
    private static partial Regex Instance();

    [GeneratedRegex(@"^(?<class>[A-Z]\w+Tests)(\.(?<method>[A-Z]\w+\*?))?$")]
    private static partial Regex Test();

    [GeneratedRegex(@"/[A-Z]+(/|$)")]
    private static partial Regex Placeholder();

    [GeneratedRegex("^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchors();
}
