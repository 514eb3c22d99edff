namespace Herd.Cli.Processes;

/// <summary>Finds in a log why its process ended.</summary>
internal static class LogTail
{
    private const int Characters = 300;

    /// <summary>The last critical line, else the last line.</summary>
    public static string Reason(string log)
    {
        try
        {
            var lines = File.ReadLines(log).Where(line => line.Trim().Length > 0).TakeLast(200).ToList();
            var line = lines.FindLast(line => line.Contains(" crit: ", StringComparison.Ordinal)) ?? lines.LastOrDefault();
            return line is null ? "it said nothing" : Shorten(line[(line.IndexOf("] ", StringComparison.Ordinal) is var at and > 0 ? at + 2 : 0)..]);
        }
        catch (IOException)
        {
            return "it left no log";
        }
    }

    private static string Shorten(string line) => line.Length <= Characters ? line : line[..Characters] + "...";
}
