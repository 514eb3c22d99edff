using System.Reflection;
using System.Text.RegularExpressions;
using Herd.Testing;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Herd.Cluster.Tests;

/// <summary>The programs in C# of docs/clients.md compile as they stand there, and run.</summary>
[Collection(nameof(RealCluster))]
public sealed partial class SnippetTests(RealCluster cluster)
{
    /// <summary>What a console project adds, and a console whose text the test reads.</summary>
    private const string Project =
        """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;

        internal static class Console
        {
            public static readonly StringWriter Out = new();
            public static void Write(string text) => Out.Write(text);
            public static void WriteLine(object text) => Out.WriteLine(text);
        }
        """;

    public static TheoryData<int> Numbers => [.. Enumerable.Range(0, Programs().Count)];

    [Fact]
    public void Page_HasPrograms() => Assert.Equal(3, Programs().Count);

    [Theory]
    [MemberData(nameof(Numbers))]
    public async Task Run_ProgramOfThePage_PrintsAnAnswer(int number)
    {
        var program = Programs()[number]
            .Replace("127.0.0.1:8080", $"127.0.0.1:{cluster.HttpPort}", StringComparison.Ordinal)
            .Replace("127.0.0.1:8081", $"127.0.0.1:{cluster.GrpcPort}", StringComparison.Ordinal);

        var assembly = Compile(program);
        await Task.Run(
            () => assembly.EntryPoint!.Invoke(null, [Array.Empty<string>()]), TestContext.Current.CancellationToken);

        var printed = assembly.GetType("Console")!.GetField("Out")!.GetValue(null)!.ToString()!;
        Assert.True(printed.Trim().Length > 0, $"It printed nothing:\n{program}");
    }

    private static List<string> Programs() => Block()
        .Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "clients.md")))
        .Select(found => found.Groups[1].Value)
        .ToList();

    private static Assembly Compile(string program)
    {
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create(
            $"snippet-{Guid.NewGuid():N}",
            new[] { program, Project }.Select(
                source => CSharpSyntaxTree.ParseText(source, cancellationToken: TestContext.Current.CancellationToken)),
            references,
            new CSharpCompilationOptions(
                OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        using var written = new MemoryStream();
        var result = compilation.Emit(written, cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(
            result.Success,
            string.Join('\n', result.Diagnostics.Where(found => found.Severity == DiagnosticSeverity.Error)));
        return Assembly.Load(written.ToArray());
    }

    [GeneratedRegex("^```csharp\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();
}
