using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Herd.Load.Targets;

namespace Herd.Load.Scenes;

/// <summary>Steady decoding of several streams, beside llama-batched-bench, which only decodes.</summary>
internal static class DecodeScene
{
    private const string Peer = "llama-batched-bench";
    private const int AnswerTokens = 256;

    /// <summary>The runs of each side in a round.</summary>
    public const int Turns = 3;

    public static int[] Streams { get; } = [1, 8, 32];

    public sealed record Result(string Target, int Streams, double TokensPerSecond);

    /// <summary>Warms the target up: a process that has just started is slower.</summary>
    public static async Task Warm(ITarget engine, ITarget gateway, int streams)
    {
        await Run(engine, streams, seed: 1000);
        for (var seed = 1001; seed < 1004; seed++)
        {
            await Run(gateway, streams, seed);
        }
    }

    /// <summary>Counts the tokens between the last stream's first token and the first stream's last token.</summary>
    public static async Task<Result> Run(ITarget target, int streams, int seed)
    {
        var started = Stopwatch.GetTimestamp();
        var turns = await Task.WhenAll(Enumerable.Range(0, streams).Select(async i =>
        {
            var conversation = new Conversation($"decode-{streams}-{seed}-{i}", Texts.Long((seed * 100) + i, 80));
            conversation.Messages.Add(new Message("user", "Go on."));
            var began = Stopwatch.GetElapsedTime(started).TotalSeconds;
            var turn = await target.Answer(conversation, AnswerTokens);
            return turn.Arrivals.Select(at => at + began).ToArray();
        }));
        var (from, to) = (turns.Max(arrivals => arrivals[0]), turns.Min(arrivals => arrivals[^1]));

        // A server may send several tokens at once.
        var tokens = turns.Sum(arrivals =>
            arrivals.Count(at => at > from && at <= to) * (double)AnswerTokens / arrivals.Length);
        return new Result(target.Name, streams, tokens / (to - from));
    }

    public static async Task<Result> RunPeer(string program, Setup setup, int streams)
    {
        string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
        using var process = Process.Start(new ProcessStartInfo(
            Path.Combine(Path.GetDirectoryName(program)!, "llama-batched-bench"),
            [
                "-m", setup.Model, "-c", Text(setup.Cells), "-b", "256", "-ub", "256", "-npp", "128", "-ntg",
                Text(AnswerTokens), "-npl", Text(streams), "-t", Text(setup.Threads), "-tb", Text(setup.Threads),
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _ = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        var row = output.Split('\n').Last(line => line.StartsWith("|  ", StringComparison.Ordinal)).Split('|');
        return new Result(Peer, streams, double.Parse(row[8], CultureInfo.InvariantCulture));
    }

    public static JsonArray Print(IReadOnlyList<Result> results) => Figures.Print(
        "Decode: tokens a second of all streams, and the share of llama-batched-bench's (medians of the rounds)",
        results.GroupBy(result => (result.Streams, result.Target)),
        new("streams", "streams", rounds => rounds.Key.Streams),
        new("target", "target", rounds => rounds.Key.Target),
        new("tokens/s", "tokens_per_second", rounds => rounds.Select(r => r.TokensPerSecond).Median(), "0.0"),
        new(
            "share",
            "share_of_peer",
            rounds => rounds
                .Zip(
                    results.Where(r => r.Streams == rounds.Key.Streams && r.Target == Peer),
                    (one, peer) => one.TokensPerSecond / peer.TokensPerSecond)
                .Median(),
            "0.00"));
}
