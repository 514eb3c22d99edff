using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Herd.Store;

/// <summary>The address, the data folder and the password of the store.</summary>
/// <param name="Bind">The address. Default 127.0.0.1.</param>
/// <param name="Port">The port, 1 to 65535.</param>
/// <param name="Data">The folder of its append-only file.</param>
/// <param name="PasswordFile">The file of the password that it asks for; empty means that it asks for none.</param>
internal sealed record StoreOptions(string Bind, int Port, string Data, string PasswordFile)
{
    private const string Usage =
        "Usage: Herd.Store --port PORT --data DIRECTORY [--bind ADDRESS] [--password-file FILE]";

    /// <summary>The size of a file of the append-only log, as a power of two: 1 GiB.</summary>
    public const int LogSegmentBits = 30;

    /// <summary>The folder of the files of the append-only log.</summary>
    public string LogFolder => Path.Combine(Data, "AOF");

    public static bool TryParse(
        string[] args, [NotNullWhen(true)] out StoreOptions? options, [NotNullWhen(false)] out string? error)
    {
        options = null;
        error = null;
        var (bind, port, data, passwordFile) = ("127.0.0.1", 0, "", "");
        for (var i = 0; i < args.Length && error is null; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            error = args[i] switch
            {
                "--bind" when IPAddress.TryParse(value, out _) => Set(() => bind = value),
                "--bind" => $"--bind needs an IP address, not '{value}'.",
                "--port" when int.TryParse(value, CultureInfo.InvariantCulture, out port)
                    && port is > 0 and <= 65535 => null,
                "--port" => $"--port needs a number from 1 to 65535, not '{value}'.",
                "--data" when value.Length > 0 => Set(() => data = value),
                "--data" => "--data needs a folder.",
                "--password-file" when value.Length > 0 => Set(() => passwordFile = value),
                "--password-file" => "--password-file needs a file.",
                _ => $"Unknown option '{args[i]}'.",
            };
        }

        error ??= port == 0 ? "--port is missing." : data.Length == 0 ? "--data is missing." : null;
        if (error is not null)
        {
            error = $"{error} {Usage}";
            return false;
        }

        options = new StoreOptions(bind, port, data, passwordFile);
        return true;

        static string? Set(Action set)
        {
            set();
            return null;
        }
    }

    /// <summary>
    /// Garnet's settings. Lua: membership and conversations are written by scripts, each one a transaction. Threads:
    /// enough for all waits for locks and for the disk; with fewer they deadlock. Log: every write is on disk before it
    /// is acknowledged, and a checkpoint is taken when the log has grown. Files: managed access, because not every host
    /// has libaio.
    /// </summary>
    /// <exception cref="InvalidDataException">The file of the password is empty.</exception>
    /// <exception cref="IOException">The file of the password cannot be read.</exception>
    public string[] ToGarnet() =>
    [
        .. PasswordFile.Length > 0 ? new[] { "--auth", "Password", "--password", ReadPassword() } : [],
        "--bind", Bind,
        "--port", Port.ToString(CultureInfo.InvariantCulture),
        "--lua",
        "--lua-transaction-mode",
        "--minthreads", "256",
        "--aof",
        "--aof-commit-freq", "0",
        "--aof-commit-wait",
        "--aof-size-limit", "1g",
        "--aof-segment-size", "1g",
        "--recover",
        "--device-type", "RandomAccess",
        "--checkpointdir", Data,
        "--storage-tier",
        "--logdir", Data,
        "--memory", "1g",
        "--index", "16m",
    ];

    private string ReadPassword() => File.ReadAllText(PasswordFile).Trim() is { Length: > 0 } password
        ? password
        : throw new InvalidDataException($"The file of the password, {PasswordFile}, is empty.");
}
