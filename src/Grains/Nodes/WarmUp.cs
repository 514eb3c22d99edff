using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Nodes.Sessions;
using Herd.Inference.Generation;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Nodes;

/// <summary>
/// Lets a loaded model answer a few short prompts, and pulls a KV cache over the node's own link, before the node takes
/// work. So weights are in memory, code is compiled and rates are measured when the first turns arrive. These are many,
/// because the newest node has the least load (docs/decisions/warm-up.md).
/// </summary>
internal sealed class WarmUp(SessionPull pull, TimeProvider time, ILogger<WarmUp> logger)
{
    private const int Sessions = 4;
    private const int Tokens = 16;
    private const string Tenant = "herd";
    private const string Node = "warm-up";

    /// <summary>The maximum time. Slow models take work before they are warm.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <param name="model">The model.</param>
    /// <param name="link">The address of the node's own link.</param>
    /// <param name="cancellation">Ends the warm-up.</param>
    public async Task Run(LoadedModel model, string link, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        var keys = Enumerable.Range(0, Sessions + 1).Select(i => Key(i, model)).ToList();
        try
        {
            await Task.WhenAll(keys.Take(Sessions).Select(key => Answer(key, model, either.Token)));
            await pull.Run(keys[Sessions], model, link, keys[0], either.Token);
            await Answer(keys[Sessions], model, either.Token);
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            // The node can serve, only slower at first.
            WarmUpLog.NotWarm(logger, e.GetType().Name, e.Message);
        }
        finally
        {
            keys.ForEach(model.Engine.Forget);
        }
    }

    private static string Key(int number, LoadedModel model) => GrainKey.Session(Node, Tenant, $"{number}", model.Id);

    private static async Task Answer(string key, LoadedModel model, CancellationToken cancellation)
    {
        var settings = new GenerationSettings();
        var message = new HistoryMessage(Role.User, $"Count to a hundred, from {key} on.", null);
        var request = new GenerationRequest
        {
            Session = key,
            Tenant = Tenant,
            Prompt = SessionPrompt.Render([message], settings, model),
            Sampling = SessionSampling.From(settings, model),
            MaxTokens = Tokens,
        };
        await foreach (var _ in model.Engine.Generate(request, cancellation))
        {
            // The answer is not used.
        }
    }
}

internal static partial class WarmUpLog
{
    [LoggerMessage(
        EventId = 421,
        Level = LogLevel.Warning,
        Message = "The model did not warm up ({Kind}: {Reason}). The first answers take longer.")]
    public static partial void NotWarm(ILogger logger, string kind, string reason);
}
