using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Herd.Inference.Files;

namespace Herd.Cli.Processes;

/// <summary>Starts and stops processes of this machine that outlive the command.</summary>
internal static partial class Machine
{
    /// <summary>The signals of Linux: SIGKILL, SIGSTOP, SIGCONT.</summary>
    public const int Killed = 9;
    public const int Stopped = 19;
    public const int Continued = 18;
    private const int Terminate = 15;

    // The shell opens the log, then becomes the program; setsid keeps Ctrl-C and a closed terminal from reaching the
    // process.
    private const string Launcher = "exec setsid \"$0\" \"$@\" >>\"$HERD_LOG\" 2>&1 </dev/null";

    public static RunningProcess Start(PlannedProcess planned)
    {
        var program = HerdHome.Program(planned.Program);
        var running = RunningProcess.NotStarted(planned);
        PrivateFile.CreateFolder(HerdHome.Logs);
        try
        {
            string[] shell = ["-c", Launcher, program, .. planned.Arguments];
            using var process = Process.Start(new ProcessStartInfo("/bin/sh", shell)
            {
                Environment = { ["HERD_LOG"] = running.Log },
                WorkingDirectory = HerdHome.Path,
            })!;
            return running with { Pid = process.Id, Started = StartTime(process.Id) ?? 0 };
        }
        catch (Win32Exception e)
        {
            throw new CliException($"{planned.Name} cannot be started: {e.Message}");
        }
    }

    public static bool IsAlive(RunningProcess process) =>
        process.Started != 0 && StartTime(process.Pid) == process.Started;

    /// <summary>Sends SIGTERM to processes, and SIGKILL to those that have not ended after a while.</summary>
    /// <returns>Those that were killed.</returns>
    public static async Task<IReadOnlyCollection<RunningProcess>> Stop(
        IReadOnlyList<RunningProcess> processes, TimeSpan timeout)
    {
        var killed = new HashSet<RunningProcess>();
        Signal(processes.Where(IsAlive), Terminate);
        for (var start = Stopwatch.GetTimestamp(); processes.Any(IsAlive); await Task.Delay(100))
        {
            if (Stopwatch.GetElapsedTime(start) > timeout)
            {
                var late = processes.Where(IsAlive).ToList();
                killed.UnionWith(late);
                Signal(late, Killed);
            }
        }

        return killed;
    }

    /// <summary>Sends a signal to a process if it is alive.</summary>
    public static void Send(RunningProcess process, int signal) => Signal(new[] { process }.Where(IsAlive), signal);

    public static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>True if a process accepts connections at the port.</summary>
    public static async Task<bool> Listens(int port, CancellationToken cancellation)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, cancellation);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static void Signal(IEnumerable<RunningProcess> processes, int signal)
    {
        foreach (var process in processes)
        {
            _ = SendSignal(process.Pid, signal);
        }
    }

    /// <summary>
    /// The start time of a process, in ticks since the boot: field 22 of /proc/PID/stat. Null if it has ended.
    /// </summary>
    private static long? StartTime(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat");

            // The second field is the name in parentheses, which may contain spaces and parentheses.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : long.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int pid, int signal);
}
