using System.Runtime.InteropServices;

namespace Herd.Cli;

/// <summary>
/// Ctrl-C and SIGTERM. They end the command, or Ctrl-C only the part of it that has asked for that.
/// </summary>
internal static class Interrupt
{
    /// <summary>The time that a command has to end. Draining a cluster takes a while.</summary>
    private static readonly TimeSpan MaxStopTime = TimeSpan.FromMinutes(1);

    private static readonly CancellationTokenSource Command = new();
    private static readonly List<PosixSignalRegistration> Registrations = [];
    private static CancellationTokenSource? _part;

    /// <summary>Cancelled when the command is to end.</summary>
    public static CancellationToken Token => Command.Token;

    public static void Register()
    {
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM })
        {
            Registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                OnSignal(signal);
            }));
        }
    }

    /// <summary>
    /// Begins a part that Ctrl-C ends instead of the command. A second Ctrl-C ends the command, also while the part
    /// ends.
    /// </summary>
    public static Part BeginPart()
    {
        var part = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Interlocked.Exchange(ref _part, part);
        return new Part(part);
    }

    internal static void OnSignal(PosixSignal signal)
    {
        if (signal == PosixSignal.SIGINT && Interlocked.Exchange(ref _part, null) is { } part)
        {
            try
            {
                _ = part.CancelAsync();
            }
            catch (ObjectDisposedException)
            {
                // The part has just ended by itself.
            }

            return;
        }

        _ = Command.CancelAsync();
        _ = Task.Delay(MaxStopTime).ContinueWith(
            _ => Environment.Exit(ExitCodes.Interrupted), TaskScheduler.Default);
    }

    /// <summary>A part of a command. Not interrupted any more once it is disposed.</summary>
    internal sealed class Part(CancellationTokenSource source) : IDisposable
    {
        public CancellationToken Token => source.Token;

        /// <summary>True if Ctrl-C ended this part, and the command goes on.</summary>
        public bool IsInterrupted => source.IsCancellationRequested && !Interrupt.Token.IsCancellationRequested;

        public void Dispose()
        {
            Interlocked.CompareExchange(ref _part, null, source);
            source.Dispose();
        }
    }
}
