using System.Text.RegularExpressions;
using Herd.Testing;

namespace Herd.Docs.Tests;

/// <summary>The pages for people: those at the root, below docs, and the models'.</summary>
internal static partial class Pages
{
    /// <summary>Paths relative to the repository.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. Directory.GetFiles(Repository.Root, "*.md")
            .Concat(Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories))
            .Append(Path.Combine(Repository.Root, "models", "README.md"))
            .Select(page => Path.GetRelativePath(Repository.Root, page))
            .Order(StringComparer.Ordinal),
    ];

    public static string Read(string page) => File.ReadAllText(Path.Combine(Repository.Root, page));

    /// <summary>The code in single backticks, outside of blocks of code.</summary>
    public static IEnumerable<string> Code(string page) =>
        Quoted().Matches(WithoutBlocks(page)).Select(found => found.Groups[1].Value);

    /// <summary>The text of blocks of code.</summary>
    public static IEnumerable<string> Blocks(string page) => Block().Matches(Read(page)).Select(found => found.Value);

    public static string WithoutBlocks(string page) => Block().Replace(Read(page), "");

    [GeneratedRegex("^ *```.*?^ *```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
