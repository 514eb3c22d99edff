using System.Text.RegularExpressions;

namespace Herd.Cluster.Tests;

/// <summary>The lines of gateways' logs that report an unhandled exception. Such a line fails the test run.</summary>
internal static partial class GatewayLogs
{
    /// <summary>These lines of the logs of all gateways, with the two lines that follow.</summary>
    public static IReadOnlyList<string> Unhandled(string folder) => !Directory.Exists(folder) ? [] :
    [
        .. from log in Directory.EnumerateFiles(folder, "gateway*")
           let lines = File.ReadAllLines(log)
           from line in lines.Index()
           where Failure().IsMatch(line.Item)
           select $"{Path.GetFileName(log)}: {string.Join('\n', lines.Skip(line.Index).Take(3))}",
    ];

    /// <summary>
    /// The gateway's own answer 500, an exception that ended a request in ASP.NET Core or gRPC, and the end of a
    /// process.
    /// </summary>
    [GeneratedRegex(
        @"fail: Herd\.Gateway\.[\w.]+\[700\]|Server\.Kestrel\[13\]|ServerCallHandler\[6\]|^Unhandled exception")]
    private static partial Regex Failure();
}
