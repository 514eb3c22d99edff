using System.Runtime.CompilerServices;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Placement;
using Herd.Inference.Generation;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Orleans.GrainDirectory;
using Orleans.Placement;

namespace Herd.Grains.Nodes.Sessions;

/// <summary>
/// The session of a conversation on this node. A call with a newer epoch ends the work of older ones; a call with an
/// older epoch is refused.
/// </summary>
[NodePlacement, GrainDirectory(NodeGrainDirectory.Name), Immovable]
internal sealed class SessionGrain(
    IGrainContext context, NodeHost host, SessionPull pull, ReplayBuffers buffers, TimeProvider time)
    : Grain(context), ISessionGrain
{
    private readonly EpochFence _fence = new();
    private readonly ReplayBuffer _replayBuffer = new();

    private string Model => GrainKey.Split(this.GetPrimaryKeyString())[3];

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        buffers.Add(this.GetPrimaryKeyString(), _replayBuffer);
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        buffers.Remove(this.GetPrimaryKeyString(), _replayBuffer);
        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<GenerationEvent> Generate(
        SessionRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var work = _fence.Begin(request.Epoch, cancellation);
        var arrived = time.GetUtcNow();
        GenerationResult? result = null;
        var model = host.Model(Model);
        using var answer = _replayBuffer.Begin(request);
        var prepared = await ToEngine(request, model, work.Token);
        var updates = model.Engine.Generate(prepared, work.Token).GetAsyncEnumerator(work.Token);
        try
        {
            while (await Next(updates, request.Settings, cancellation))
            {
                // Tokens of an older epoch must not get into the answer of a newer one.
                work.RequireNewest();
                result = updates.Current.Result;
                var update = ToEvent(updates.Current, model);
                _replayBuffer.Append(update);
                yield return update;
            }
        }
        finally
        {
            await updates.DisposeAsync();
            SessionSpans.Record(request, arrived, result, time.GetUtcNow());
        }
    }

    public Task<KvPull> Pull(string link, string session, CancellationToken cancellation) =>
        pull.Run(this.GetPrimaryKeyString(), host.Model(Model), link, session, cancellation);

    public Task<GenerationEvent?> FetchReplayBuffer(long epoch, string turn)
    {
        _fence.Admit(epoch);
        return Task.FromResult(_replayBuffer.Find(turn));
    }

    public Task Release(long epoch)
    {
        _fence.Admit(epoch);
        host.Model(Model).Engine.Forget(this.GetPrimaryKeyString());
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    /// <summary>Moves to the next update, and translates the engine's exceptions into errors for callers.</summary>
    private static async Task<bool> Next(
        IAsyncEnumerator<GenerationUpdate> updates, GenerationSettings settings, CancellationToken cancellation)
    {
        try
        {
            return await updates.MoveNextAsync();
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw EpochFence.Refusal();
        }
        catch (InvalidPromptException e)
        {
            throw new HerdException(HerdError.InvalidArgument, e.Message, settings.IsRaw ? "prompt" : "messages");
        }
        catch (ContextOverflowException e)
        {
            throw new HerdException(HerdError.ContextOverflow, e.Message, "messages")
                .With("prompt_tokens", e.PromptTokens)
                .With("context_tokens", e.ContextTokens);
        }
        catch (NoTokenFitsException e)
        {
            throw new HerdException(HerdError.InvalidArgument, e.Message, "response_format");
        }
        catch (AnswerFailedException e)
        {
            throw new HerdException(HerdError.Internal, e.Message);
        }
        catch (EngineOverloadedException e)
        {
            throw new HerdException(HerdError.Overloaded, e.Message);
        }
        catch (Exception e) when (e is EngineStoppedException or EngineFailedException or DecodeException)
        {
            throw new HerdException(HerdError.Unavailable, e.Message);
        }
    }

    /// <summary>
    /// Makes the engine's request. It runs beside the grain, because rendering and compiling take time.
    /// </summary>
    private Task<GenerationRequest> ToEngine(SessionRequest request, LoadedModel model, CancellationToken cancellation)
    {
        var key = this.GetPrimaryKeyString();
        var tenant = GrainKey.Split(key)[1];
        return Task.Run(
            () => new GenerationRequest
            {
                Session = key,
                Tenant = tenant,
                Priority = request.Settings.Priority == TurnPriority.Background
                    ? Priority.Background
                    : Priority.Interactive,
                Prefix = PromptPrefix.Digest(tenant, request.Messages.FirstOrDefault(m => m.Role == Role.System)?.Text),
                Prompt = SessionPrompt.Render(request.Messages, request.Settings, model),
                Produced = request.Produced,
                MirostatMu = request.SamplerState,
                Sampling = SessionSampling.From(request.Settings, model),
                MaxTokens = request.Settings.MaxTokens ?? int.MaxValue,
                Stops = request.Settings.Stops,
                Interval = host.StreamInterval,
            },
            cancellation);
    }

    private static GenerationEvent ToEvent(GenerationUpdate update, LoadedModel model) => new(
        update.Tokens,
        update.Text,
        update.Result is not { } result ? null : new GenerationOutcome(
            result.Reason == FinishReason.Length ? Finish.Length : Finish.Stop,
            result.Reason != FinishReason.StopSequence,
            new Usage(result.PromptTokens, result.CompletionTokens, result.CachedTokens),
            new Timings(result.Queued, result.Prefill, result.Decode)))
    {
        SamplerState = update.MirostatMu,
        Prompt = update.Prompt is { } prompt
            ? new Usage(prompt.Total, CompletionTokens: 0, prompt.Cached)
            : null,
        LogProbs = update.LogProbs.Count == 0 ? null : [.. update.LogProbs.Select(model.Describe)],
    };
}
