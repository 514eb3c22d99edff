using BenchmarkDotNet.Attributes;
using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Storage.Encryption;

namespace Herd.Micro;

/// <summary>A turn as it is stored and read, with and without a key (docs/decisions/encryption.md).</summary>
[MemoryDiagnoser]
public class EncryptionBenchmark
{
    private const string Place = "herd:conversation:tenant/conv_0123456789abcdef\nturn:7";

    private readonly StorageKeys _keys =
        StorageKeys.Parse("one AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");

    private Turn _turn = null!;
    private string _plain = "";
    private string _encrypted = "";

    [GlobalSetup]
    public void Setup()
    {
        var words = string.Concat(Enumerable.Repeat("some words of an answer ", 40));
        _turn = new Turn
        {
            Id = "turn_0123456789abcdef",
            State = TurnState.Completed,
            Input = [new Message(Role.User, words)],
            Created = DateTimeOffset.UnixEpoch,
            Settings = new GenerationSettings(),
            Answer = new Answer(words, [.. Enumerable.Range(10_000, 250)], true),
        };
        _plain = ConversationFormat.WriteTurn(_turn);
        _encrypted = _keys.Encrypt(_plain, Place);
    }

    [Benchmark(Baseline = true)]
    public string Write() => ConversationFormat.WriteTurn(_turn);

    [Benchmark]
    public string WriteEncrypted() => _keys.Encrypt(ConversationFormat.WriteTurn(_turn), Place);

    [Benchmark]
    public Turn Read() => ConversationFormat.ReadTurn(_keys.Decrypt(_plain, Place));

    [Benchmark]
    public Turn ReadEncrypted() => ConversationFormat.ReadTurn(_keys.Decrypt(_encrypted, Place));
}
