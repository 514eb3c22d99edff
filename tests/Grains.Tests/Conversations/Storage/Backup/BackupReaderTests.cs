using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Herd.Grains.Conversations.Storage.Backup;

namespace Herd.Grains.Tests.Conversations.Storage.Backup;

public sealed class BackupReaderTests
{
    private static readonly DateTimeOffset Created = DateTimeOffset.UnixEpoch.AddYears(50);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public async Task Read_InPiecesOfAnySize_IsWhatWasWritten(int size)
    {
        var read = await Read(await Written(), size);

        Assert.Equal(
            ["t/ü c: héad=\n\"x\"", "2026-01-31: sum=1"],
            read.Lines.Select(line => line.Conversation is { } id
                ? $"{line.Tenant}/{id}: héad={line.Fields!["head"]}"
                : $"{line.UsageDay}: sum={line.Fields!["sum"]}"));
        Assert.Equal(new BackupSummary(Created, 1, 1), read.Summary);
    }

    /// <summary>Whatever single byte differs, the file is refused.</summary>
    [Property]
    public Property Read_AByteDiffers_IsRefused() => Prop.ForAll(
        Gen.Choose(0, int.MaxValue).Two().ToArbitrary(),
        pair =>
        {
            var bytes = Written().GetAwaiter().GetResult();
            var at = pair.Item1 % bytes.Length;
            bytes[at] ^= (byte)(1 + (pair.Item2 % 255));
            return Assert.ThrowsAsync<InvalidDataException>(() => Read(bytes, 64)).GetAwaiter().GetResult() is not null;
        });

    [Fact]
    public async Task Read_CutAnywhere_IsRefused()
    {
        var bytes = await Written();
        for (var length = 0; length < bytes.Length; length++)
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => Read(bytes[..length], 64));
        }
    }

    [Theory]
    [InlineData("", "The file is empty")]
    [InlineData("PK zip\n", "is no backup of Herd")]
    [InlineData("{}\n", "is no backup of Herd")]
    [InlineData("null\n", "is no backup of Herd")]
    [InlineData("{\"herd_backup\":2,\"created\":\"2026-01-01T00:00:00Z\"}\n", "version 2, this Herd reads 1")]
    [InlineData("{\"herd_backup\":1,\"created\":\"2026-01-01T00:00:00Z\"}\n", "ends early")]
    [InlineData("{\"herd_backup\":1,\"created\":\"2026-01-01T00:00:00Z\"}\n{}\n", "Line 2 of the backup is none")]
    public async Task Read_NoBackup_SaysWhy(string text, string expected)
    {
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => Read(Encoding.UTF8.GetBytes(text), 64));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_BytesBehindTheEnd_IsRefused()
    {
        var bytes = await Written();

        await Assert.ThrowsAsync<InvalidDataException>(() => Read([.. bytes, (byte)'x'], 64));
        await Assert.ThrowsAsync<InvalidDataException>(() => Read([.. bytes, .. bytes], 64));
    }

    /// <summary>A backup of version 1. It stays readable.</summary>
    [Fact]
    public async Task Read_BackupOfVersion1_IsRead()
    {
        const string Text =
            """
            {"herd_backup":1,"created":"2020-01-01T00:00:00+00:00"}
            {"tenant":"t","conversation":"c","fields":{"head":"h"}}
            {"usage":"2026-01-31","fields":{"sum":"1"}}

            """;
        var sum = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(Text)));
        var end = $$"""{"conversations":1,"days":1,"sha256":"{{sum}}"}""" + "\n";

        var read = await Read(Encoding.UTF8.GetBytes(Text + end), 64);

        Assert.Equal(2, read.Lines.Count);
        Assert.Equal(1, read.Summary.Conversations);
    }

    private static async Task<byte[]> Written()
    {
        var bytes = new MemoryStream();
        using var writer = new BackupWriter(piece => bytes.WriteAsync(piece).AsTask(), Created);
        await writer.Begin();
        await writer.WriteConversation("t", "ü c", new Dictionary<string, string> { ["head"] = "\n\"x\"" });
        await writer.WriteUsage("2026-01-31", new Dictionary<string, string> { ["sum"] = "1" });
        await writer.End();
        return bytes.ToArray();
    }

    private static async Task<(List<BackupLine> Lines, BackupSummary Summary)> Read(byte[] bytes, int size)
    {
        using var reader = new BackupReader();
        var lines = new List<BackupLine>();
        await foreach (var line in reader.Read(Pieces(bytes, size), Cancellation))
        {
            lines.Add(line);
        }

        return (lines, reader.Summary);
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Pieces(byte[] bytes, int size)
    {
        foreach (var piece in bytes.Chunk(size))
        {
            await Task.CompletedTask;
            yield return piece;
        }
    }
}
