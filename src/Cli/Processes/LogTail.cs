namespace Herd.Cli.Processes;

/// <summary>Finds in a log the reason why its process ended.</summary>
internal static class LogTail
{
    private const int Characters = 300;

    /// <summary>The last critical line, else the last line.</summary>
    public static string Reason(string log)
    {
        try
        {
            var lines = File.ReadLines(log).Where(line => line.Trim().Length > 0).TakeLast(200).ToList();
            var line = lines.FindLast(line => line.Contains(" crit: ", StringComparison.Ordinal))
                ?? lines.LastOrDefault();
            var at = line?.IndexOf("] ", StringComparison.Ordinal) ?? 0;
            return line is null ? "its log is empty" : Shorten(line[(at > 0 ? at + 2 : 0)..]);
        }
        catch (IOException)
        {
            return "it has no log";
        }
    }

    private static string Shorten(string line) => line.Length <= Characters ? line : line[..Characters] + "...";
}
