using System.Buffers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Herd.Grains.Conversations.Storage.Backup;

/// <summary>Reads a backup from pieces of its bytes, and checks it.</summary>
internal sealed class BackupReader : IDisposable
{
    /// <summary>The longest line. A conversation of a million turns is shorter.</summary>
    private const int MaxLine = 1 << 30;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ArrayBufferWriter<byte> _line = new();
    private BackupSummary? _summary;
    private DateTimeOffset _created;
    private int _number;
    private int _conversations;
    private int _days;

    /// <summary>What the backup has, once all of it was read.</summary>
    /// <exception cref="InvalidDataException">It ended early.</exception>
    public BackupSummary Summary => _summary ?? throw new InvalidDataException(
        _number == 0 ? "The file is empty." : "The file ends early. Take the whole backup.");

    /// <summary>The conversations and days, one after the other.</summary>
    /// <exception cref="InvalidDataException">It is no backup, of a newer version, or damaged.</exception>
    public async IAsyncEnumerable<BackupLine> Read(
        IAsyncEnumerable<ReadOnlyMemory<byte>> pieces, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var piece in pieces.WithCancellation(cancellation))
        {
            var rest = piece;
            while (rest.Span.IndexOf((byte)'\n') is >= 0 and var end)
            {
                Keep(rest[..(end + 1)]);
                rest = rest[(end + 1)..];
                if (Take() is { Fields: not null } content)
                {
                    yield return content;
                }
            }

            Keep(rest);
        }

        _ = Summary;
        Require(_line.WrittenCount == 0, "has bytes behind its end");
    }

    public void Dispose() => _hash.Dispose();

    private void Keep(ReadOnlyMemory<byte> bytes)
    {
        Require((long)_line.WrittenCount + bytes.Length <= MaxLine, "is too long");
        _line.Write(bytes.Span);
    }

    /// <summary>Reads the line that has come.</summary>
    private BackupLine Take()
    {
        _number++;
        Require(_summary is null, "is behind the last one");
        var line = Parse(_line.WrittenSpan);
        if (_number == 1)
        {
            Begin(line);
        }
        else if (line is { Tenant: not null, Conversation: not null, Fields: not null })
        {
            _conversations++;
        }
        else if (line is { UsageDay: not null, Fields: not null })
        {
            _days++;
        }
        else
        {
            End(line);
        }

        _hash.AppendData(_line.WrittenSpan);
        _line.Clear();
        return line;
    }

    private void Begin(BackupLine line)
    {
        if (line is not { Version: { } version, Created: { } created, Fields: null })
        {
            throw NoBackup();
        }

        _created = version is > 0 and <= BackupWriter.Version
            ? created
            : throw new InvalidDataException(
                $"The backup is of version {version}, this Herd reads {BackupWriter.Version}. Upgrade it.");
    }

    private void End(BackupLine line)
    {
        Require(line is { Conversations: not null, Days: not null, Sha256: not null }, "is none of a backup");
        if (line.Sha256 != Convert.ToHexStringLower(_hash.GetCurrentHash())
            || line.Conversations != _conversations || line.Days != _days)
        {
            throw new InvalidDataException(
                "The check sum of the backup is not that of its content: the file is damaged. Take another one.");
        }

        _summary = new BackupSummary(_created, _conversations, _days);
    }

    private BackupLine Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, BackupJson.Default.BackupLine) ?? throw NoBackup();
        }
        catch (JsonException) when (_number == 1)
        {
            throw NoBackup();
        }
        catch (JsonException)
        {
            throw new InvalidDataException($"Line {_number} of the backup is damaged. Take another backup.");
        }
    }

    private void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidDataException($"Line {_number} of the backup {otherwise}. Take another backup.");
        }
    }

    private static InvalidDataException NoBackup() =>
        new("The file is no backup of Herd. Give one that 'herd store backup' wrote.");
}
