using System.Security.Cryptography;
using System.Text.Json;

namespace Herd.Grains.Conversations.Storage.Backup;

/// <summary>Writes a backup line by line, with a check sum in the last one.</summary>
/// <param name="write">Takes the bytes.</param>
/// <param name="created">When the backup began.</param>
internal sealed class BackupWriter(Func<ReadOnlyMemory<byte>, Task> write, DateTimeOffset created) : IDisposable
{
    public const int Version = 1;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private int _conversations;
    private int _days;

    public Task Begin() => Write(new BackupLine { Version = Version, Created = created });

    public Task WriteConversation(string tenant, string id, Dictionary<string, string> fields)
    {
        _conversations++;
        return Write(new BackupLine { Tenant = tenant, Conversation = id, Fields = fields });
    }

    public Task WriteUsage(string day, Dictionary<string, string> fields)
    {
        _days++;
        return Write(new BackupLine { UsageDay = day, Fields = fields });
    }

    public async Task<BackupSummary> End()
    {
        await Write(new BackupLine
        {
            Conversations = _conversations,
            Days = _days,
            Sha256 = Convert.ToHexStringLower(_hash.GetCurrentHash()),
        });
        return new BackupSummary(created, _conversations, _days);
    }

    public void Dispose() => _hash.Dispose();

    private Task Write(BackupLine line)
    {
        byte[] bytes = [.. JsonSerializer.SerializeToUtf8Bytes(line, BackupJson.Default.BackupLine), (byte)'\n'];
        _hash.AppendData(bytes);
        return write(bytes);
    }
}
