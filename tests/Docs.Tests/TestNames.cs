using System.Text.RegularExpressions;
using Herd.Testing;

namespace Herd.Docs.Tests;

/// <summary>The test classes of all projects and their tests, read from the sources.</summary>
internal static partial class TestNames
{
    private static readonly Lazy<ILookup<string, Match>> Classes = new(() => Directory
        .GetFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
        .SelectMany(file => Class().Matches(File.ReadAllText(file)))
        .ToLookup(found => found.Groups["name"].Value));

    /// <summary>True if the class has the test, itself or from its base class.</summary>
    /// <param name="name">The class.</param>
    /// <param name="method">The test; '*' stands for the rest of its name. Empty asks for the class only.</param>
    public static bool Exists(string name, string method) => Classes.Value[name].Any(found =>
        method.Length == 0
        || Test().Matches(found.Groups["body"].Value).Any(test => Fits(test.Groups["name"].Value, method))
        || Exists(found.Groups["base"].Value, method));

    private static bool Fits(string test, string method) =>
        method.EndsWith('*') ? test.StartsWith(method[..^1], StringComparison.Ordinal) : test == method;

    /// <summary>A class at the top level of its file: it ends with the first brace at the start of a line.</summary>
    [GeneratedRegex(
        @"^\w[\w ]* class (?<name>\w+)[^:{;]*(:\s*(?<base>\w+)[^{;]*)?^\{(?<body>.*?)^\}",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Class();

    /// <summary>A method with an attribute above it.</summary>
    [GeneratedRegex(@"\]\r?\n    public [\w<>, ]+ (?<name>\w+)\(")]
    private static partial Regex Test();
}
