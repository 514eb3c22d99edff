using System.Globalization;

namespace Herd.Cluster.Tests;

/// <summary>The TCP ports that processes listen on, from /proc.</summary>
internal static class ListeningPorts
{
    /// <summary>The state of a listening socket in /proc/net/tcp.</summary>
    private const string Listens = "0A";

    public static IReadOnlyList<int> Find(IEnumerable<int> pids)
    {
        var sockets = pids.SelectMany(pid => Directory.GetFiles(
                string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/fd")))
            .Select(file => new FileInfo(file).LinkTarget ?? "")
            .ToHashSet(StringComparer.Ordinal);
        return
        [
            .. new[] { "/proc/net/tcp", "/proc/net/tcp6" }
                .SelectMany(table => File.ReadLines(table).Skip(1))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(fields => fields[3] == Listens && sockets.Contains($"socket:[{fields[9]}]"))
                .Select(fields => fields[1].Split(':')[1])
                .Select(port => int.Parse(port, NumberStyles.HexNumber, CultureInfo.InvariantCulture)),
        ];
    }
}
