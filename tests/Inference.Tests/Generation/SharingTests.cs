using System.Runtime.InteropServices;
using Herd.Inference.Generation;
using Herd.Inference.Kv;
using Herd.Inference.Sampling;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.Inference.Tests.Generation;

/// <summary>
/// Offloading, restoring, sharing and preemption, on a context whose next token follows from every token in its cells:
/// so each answer proves that the cells held its own tokens and no others.
/// </summary>
public sealed class SharingTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-kv-");

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Generate_SameTenantBeginsAlike_CopiesTheBeginning()
    {
        await using var engine = New(New());
        var beginning = Tokens(1, 100);
        await Run(engine, "a", [.. beginning, 1, 2, 3]);

        Assert.Equal(100, (await Run(engine, "b", [.. beginning, 4, 5, 6])).CachedTokens);
    }

    [Fact]
    public async Task Generate_OtherTenantBeginsAlike_SharesNothing()
    {
        await using var engine = New(New());
        var beginning = Tokens(1, 100);
        await Run(engine, "a", [.. beginning, 1, 2, 3]);

        Assert.Equal(0, (await Run(engine, "b", [.. beginning, 4, 5, 6], tenant: "other")).CachedTokens);
    }

    [Fact]
    public async Task Generate_OffloadedSession_IsRestored()
    {
        await using var engine = New(New());
        for (var i = 0; i < 6; i++)
        {
            await Run(engine, $"s{i}", Tokens(i, 80));
        }

        Assert.Equal(79, (await Run(engine, "s0", Tokens(0, 80))).CachedTokens);
    }

    [Fact]
    public async Task Generate_AfterRestart_FindsItsDiskTier()
    {
        await using (var before = New(New(), Disk()))
        {
            await Run(before, "s", Tokens(1, 80));
        }

        await using var after = New(New(), Disk());

        Assert.Equal(79, (await Run(after, "s", Tokens(1, 80))).CachedTokens);
    }

    /// <summary>An encrypted file is found with its key. With another one, or none, it is deleted.</summary>
    [Theory]
    [InlineData(1, 1, 79)]
    [InlineData(1, 2, 0)]
    [InlineData(1, null, 0)]
    [InlineData(null, 1, 0)]
    public async Task Generate_AfterRestartWithAKey_FindsWhatIsEncryptedWithIt(int? before, int? after, int cached)
    {
        await using (var engine = New(New(), Disk(before)))
        {
            await Run(engine, "s", Tokens(1, 80));
        }

        Assert.Single(_folder.GetFiles("*.kv"));
        await using var restarted = New(New(), Disk(after));

        Assert.Equal(cached == 0 ? 0 : 1, _folder.GetFiles("*.kv").Length);
        Assert.Equal(cached, (await Run(restarted, "s", Tokens(1, 80))).CachedTokens);
    }

    [Fact]
    public async Task Generate_SnapshotDamaged_IsReplayed()
    {
        await using (var before = New(New(), Disk()))
        {
            await Run(before, "s", Tokens(1, 80));
        }

        var file = Assert.Single(_folder.GetFiles("*.kv"));
        var bytes = await File.ReadAllBytesAsync(file.FullName, Cancellation);
        bytes[^40] ^= 1;
        await File.WriteAllBytesAsync(file.FullName, bytes, Cancellation);
        await using var after = New(New(), Disk());

        Assert.Equal(0, (await Run(after, "s", Tokens(1, 80))).CachedTokens);
    }

    /// <summary>
    /// A disk that hangs stalls nobody: after the time that computing takes, the prompt is computed.
    /// </summary>
    [Fact]
    public async Task Generate_DiskHangs_IsReplayedInsteadOfWaitingForEver()
    {
        await using (var before = New(New(), Disk()))
        {
            await Run(before, "s", Tokens(1, 80));
        }

        var file = Assert.Single(_folder.GetFiles("*.kv")).FullName;
        var after = New(New(), Disk(), TimeProvider.System);
        File.Delete(file);
        Assert.Equal(0, MakePipe(file, Convert.ToUInt32("600", 8)));

        // Opening a pipe that nobody writes to hangs.
        Assert.Equal(0, (await Run(after, "s", Tokens(1, 80)).WaitAsync(Long, Cancellation)).CachedTokens);
        await File.Open(file, FileMode.Open, FileAccess.Write).DisposeAsync();
        await after.DisposeAsync();
    }

    /// <summary>A prompt that n answers share is computed once: the others wait for it and copy it.</summary>
    [Fact]
    public async Task Generate_OnePromptSeveralTimesAtOnce_ComputesItOnce()
    {
        var context = New(sequences: 4);
        context.Hold();
        await using var engine = New(context);
        var prompt = Tokens(1, 90);
        var answers = Enumerable.Range(0, 4).Select(i => Run(engine, $"s{i}", prompt, "t")).ToList();
        context.LetGo();

        var cached = (await Task.WhenAll(answers)).Select(result => result.CachedTokens).Order().ToList();

        // Sequences compute the last few tokens themselves instead of waiting for them.
        Assert.Equal(0, cached[0]);
        Assert.All(cached[1..], count => Assert.InRange(count, 90 - 32, 89));
    }

    /// <summary>
    /// Sessions that return to slots far apart are computed in neighbouring slots, because that takes one pass.
    /// </summary>
    [Fact]
    public async Task Generate_ReturningSessionsFarApart_AreComputedInNeighbouringSlots()
    {
        var context = New(sequences: 6);
        await using var engine = New(context);
        for (var i = 0; i < 6; i++)
        {
            await Run(engine, $"s{i}", Tokens(i, 40), "t");
        }

        context.Hold();
        int[] back = [0, 3, 5];
        var answers = back.Select(i => Run(engine, $"s{i}", [.. Tokens(i, 40), .. Tokens(9 + i, 5)], "t")).ToList();
        context.LetGo();
        var results = await Task.WhenAll(answers);

        var last = context.Batches.Where(batch => batch.Length == 3).Select(batch => batch.Order().ToList()).ToList();
        Assert.NotEmpty(last);
        Assert.All(last, slots => Assert.Equal(2, slots[^1] - slots[0]));
        Assert.All(results, result => Assert.InRange(result.CachedTokens, 40, 44));
    }

    [Fact]
    public async Task New_FolderInUse_IsRefused()
    {
        await using var one = New(New(), Disk());

        Assert.Throws<InvalidDataException>(() => New(New(), Disk()));
    }

    /// <summary>
    /// Sessions of several tenants, many more than slots, with tiers too small for all: every answer is its own.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Generate_ManySessionsAtOnce_EachAnswersFromItsOwnTokens(int seed)
    {
        var random = new Random(seed);
        await using var engine = New(New(sequences: 3), Disk() with { HostBytes = 2_000 });
        var histories = Enumerable.Range(0, 24).Select(i => Tokens(i % 4, 40 + i).ToList()).ToList();
        for (var turn = 0; turn < 4; turn++)
        {
            await Task.WhenAll(histories.Select(async (history, i) =>
            {
                history.AddRange(Tokens(random.Next(), 5));
                history.AddRange((await Collect(engine, $"s{i}", history, $"tenant{i % 3}")).Tokens);
            }).ToList());
        }
    }

    [Fact]
    public async Task Import_ExportedSession_ContinuesWithoutComputingIt()
    {
        await using var one = New(New());
        await using var other = New(New());
        await Run(one, "s", Tokens(1, 80));

        using var state = await one.Export("s", Cancellation);
        Assert.True(await other.Import(Renamed(state!, "s2")));

        Assert.Equal(79, (await Run(other, "s2", Tokens(1, 80))).CachedTokens);
        Assert.Equal(79, (await Run(one, "s", Tokens(1, 80))).CachedTokens);
    }

    [Fact]
    public async Task Export_SessionOnDiskOnly_IsRead()
    {
        await using (var before = New(New(), Disk()))
        {
            await Run(before, "s", Tokens(1, 80));
        }

        await using var after = New(New(), Disk());
        using var state = await after.Export("s", Cancellation);

        Assert.Equal(Tokens(1, 80), state!.Tokens.Take(80));
    }

    [Fact]
    public async Task Export_NothingOfIt_IsNull()
    {
        await using var engine = New(New());

        Assert.Null(await engine.Export("unknown", Cancellation));
    }

    [Fact]
    public async Task Export_WhileItIsExtended_WaitsForTheEnd()
    {
        var context = New();
        await using var engine = New(context);
        var running = await Begin(engine, context);

        var export = engine.Export("s", Cancellation);
        Assert.False(export.IsCompleted);
        context.LetGo();
        await running.DisposeAsync();

        using var state = await export;
        Assert.True(state!.Tokens.Length >= 80);
    }

    [Fact]
    public async Task Export_Cancelled_IsNull()
    {
        var context = New();
        await using var engine = New(context);
        var running = await Begin(engine, context);
        using var giveUp = new CancellationTokenSource();

        var export = engine.Export("s", giveUp.Token);
        await giveUp.CancelAsync();
        context.LetGo();

        Assert.Null(await export);
        await running.DisposeAsync();
    }

    [Fact]
    public async Task Sessions_ResidentAndOffloaded_AreEachListedOnce()
    {
        await using var engine = New(New());
        for (var i = 0; i < 6; i++)
        {
            await Run(engine, $"s{i}", Tokens(i, 80));
        }

        var sessions = await engine.Sessions();

        Assert.Equal(["s0", "s1", "s2", "s3", "s4", "s5"], sessions.Select(session => session.Session).Order());
        Assert.All(sessions, session => Assert.True(session is { IsActive: false, Tokens: >= 80, Bytes: > 0 }));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Begins an answer. It continues when the test lets the context go.</summary>
    private static async Task<IAsyncEnumerator<GenerationUpdate>> Begin(Engine engine, FakeContext context)
    {
        var request = new GenerationRequest
        {
            Session = "s", Prompt = Tokens(1, 80), MaxTokens = 100, Sampling = new SamplingOptions { Temperature = 0 },
        };
        var running = engine.Generate(request, Cancellation).GetAsyncEnumerator(Cancellation);
        context.Hold();
        context.Step(3);

        // The first update has no token: it tells that the prompt's computation begins.
        do
        {
            Assert.True(await running.MoveNextAsync());
        }
        while (running.Current.Tokens.Count == 0);

        return running;
    }

    private static SessionState Renamed(SessionState state, string session) =>
        new(session, state.Tenant, state.Prefix, state.Tokens, state.State);

    private KvOptions Disk(int? key = null) => new()
    {
        Disk = new KvDiskOptions(
            _folder.FullName,
            1 << 20,
            new byte[32],
            new byte[32],
            key is { } value ? [.. Enumerable.Repeat((byte)value, 32)] : null),
    };

    private static FakeContext New(int sequences = 2) => new(sequences, cells: 256, batch: 32) { IsHashing = true };

    [DllImport("libc", EntryPoint = "mkfifo")]
    private static extern int MakePipe([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint mode);

    private static Engine New(FakeContext context, KvOptions? kv = null, TimeProvider? time = null) => new(
        context,
        new ByteVocabulary(),
        new EngineOptions { Kv = kv ?? new KvOptions(), Quantum = 2 },
        time ?? context.Clock,
        NullLogger<Engine>.Instance);

    private static int[] Tokens(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(250))];
    }

    private static async Task<GenerationResult> Run(Engine engine, string session, int[] prompt, string tenant = "") =>
        (await Collect(engine, session, prompt, tenant)).Result;

    private static async Task<(List<int> Tokens, GenerationResult Result)> Collect(
        Engine engine, string session, IReadOnlyList<int> prompt, string tenant)
    {
        var request = new GenerationRequest
        {
            Session = session,
            Tenant = tenant,
            Prompt = [.. prompt],
            MaxTokens = 6,
            Sampling = new SamplingOptions { Temperature = 0 },
        };
        var tokens = new List<int>();
        GenerationResult? result = null;
        await foreach (var update in engine.Generate(request, Cancellation))
        {
            tokens.AddRange(update.Tokens);
            result = update.Result;
        }

        using var reference = New();
        var expected = prompt.ToList();
        while (expected.Count < prompt.Count + 6)
        {
            expected.Add(reference.Next(expected));
        }

        Assert.Equal(expected[prompt.Count..], tokens);
        return (tokens, result!);
    }
}
