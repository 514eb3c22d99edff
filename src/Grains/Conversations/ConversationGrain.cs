using System.Runtime.CompilerServices;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Hosting;
using Orleans.Placement;

namespace Herd.Grains.Conversations;

/// <summary>
/// One conversation. A turn: (1) it waits until it is the only one; (2) its id tells whether it is new; (3) what was said
/// is stored; (4) <see cref="TurnExecutor"/> has it answered; (5) the answer is stored, then the turn is acknowledged.
/// </summary>
[PreferLocalPlacement, Immovable]
internal sealed class ConversationGrain(
    IGrainContext context, IConversationStore store, TurnExecutor runner, SessionMigration mover, GatewayDrain handover, IGrainFactory grains, TimeProvider time) : Grain(context), IConversationGrain, IDisposable
{
    /// <summary>No turn's id: those have no '.'.</summary>
    private const string MoveId = ".move";

    private readonly TurnQueue _turns = new();
    private Transcript _transcript = null!;
    private TurnAcceptor _intake = null!;
    private WriteBehind _late = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var key = GrainKey.Split(this.GetPrimaryKeyString());
        _transcript = new Transcript(store, tenant: key[0], id: key[1]);
        _intake = new TurnAcceptor(_transcript, time);
        _late = new WriteBehind(this, _transcript, time);
        return _transcript.Load(cancellationToken);
    }

    public async Task<Conversation> Create(string? model, string? system, CancellationToken cancellation)
    {
        using var ticket = await _turns.Enter("", mayWait: true, cancellation);
        if (_transcript.Conversation is { } existing)
        {
            return existing;
        }

        var conversation = New(model) with { System = system };
        await Store(() => _transcript.Write(conversation, 0));
        return conversation;
    }

    public async Task<Conversation> UpdateMetadata(IReadOnlyDictionary<string, string> metadata, CancellationToken cancellation)
    {
        using var ticket = await _turns.Enter("", mayWait: true, cancellation);
        var conversation = await Existing(cancellation) with { Metadata = metadata.Count > 0 ? metadata : null };
        await Store(() => _transcript.Write(conversation, conversation.Turns.Count));
        return conversation;
    }

    public async Task<Conversation> Fork(string id, string? lastTurn, CancellationToken cancellation)
    {
        var copy = ConversationFork.Create(await Existing(cancellation), id, lastTurn, time.GetUtcNow());
        return await grains.GetGrain<IConversationGrain>(GrainKey.Conversation(_transcript.Tenant, id)).Adopt(copy, cancellation);
    }

    public async Task<Conversation> Adopt(Conversation copy, CancellationToken cancellation)
    {
        using var ticket = await _turns.Enter("", mayWait: true, cancellation);
        if (_transcript.Conversation is { } existing)
        {
            return existing;
        }

        await Store(() => _transcript.Write(copy, 0));
        return copy;
    }

    public async IAsyncEnumerable<TurnEvent> Converse(
        TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var counted = handover.TrackTurn();
        var came = time.GetUtcNow();
        using var ticket = await _turns.Enter(request.TurnId, mayWait: !request.IsWholeHistory, cancellation);
        await using var leaving = handover.Started.Register(ticket.Cancel);
        var events = new TurnEvents(request.Local);
        var turn = Take(request, came, events, ticket.Cancellation);
        try
        {
            await foreach (var update in events.Sent.ReadAllAsync(cancellation))
            {
                yield return update;
            }

            await turn;
        }
        finally
        {
            ticket.Cancel();
            await turn.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    public async Task<PlacementDecision?> Move(
        string home, string? target, PlacementReason reason, CancellationToken cancellation)
    {
        if ((await Current(cancellation))?.Home != home)
        {
            return null;
        }

        using var ticket = await _turns.Enter(MoveId, mayWait: false, cancellation);
        return _transcript.Conversation?.Home == home
            ? await Store(() => mover.Run(_transcript, target, reason, ticket.Cancellation))
            : null;
    }

    public Task<Conversation> Read(CancellationToken cancellation) => Existing(cancellation);

    public async Task<Turn> Cancel(string turn, CancellationToken cancellation)
    {
        Find(await Existing(cancellation), turn);
        using var ticket = await _turns.Interrupt(turn, cancellation);
        return Find(_transcript.Conversation, turn);
    }

    public async Task DeleteTurn(string turn, CancellationToken cancellation)
    {
        Find(await Existing(cancellation), turn);
        using var ticket = await _turns.Interrupt(turn, cancellation);
        var (conversation, kept) = (_transcript.Conversation ?? throw NotFound(), TurnDeletion.Remove(_transcript.Conversation.Turns, turn));
        await (kept.Count == 0
            ? Delete(conversation)
            : Store(() => _transcript.Write(conversation with { Turns = kept }, 0)));
    }

    public async Task Delete(CancellationToken cancellation)
    {
        using var ticket = await _turns.Interrupt(cancellation);
        await Delete(await Existing(cancellation));
    }

    private async Task Delete(Conversation conversation)
    {
        await Store(_transcript.Delete);
        if (conversation.Home is { } home)
        {
            foreach (var model in conversation.Turns.Select(turn => turn.Model).OfType<string>().Distinct())
            {
                Release(GrainKey.Session(home, _transcript.Tenant, _transcript.Id, model), conversation.Epoch + 1).Ignore();
            }
        }

        DeactivateOnIdle();
    }

    private async Task Release(string session, long epoch) => await grains.GetReachableGrain<ISessionGrain>(session).Release(epoch);

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        await _late.Save(cancellationToken);

    public void Dispose()
    {
        _turns.Dispose();
        _transcript?.Dispose();
    }

    private async Task Take(TurnRequest request, DateTimeOffset came, TurnEvents events, CancellationToken cancellation)
    {
        using var span = TurnSpans.Begin(request, _transcript.Id, came, time.GetUtcNow());
        try
        {
            var conversation = _transcript.Conversation ?? (request.IsWholeHistory ? New(request.Model) with { Retention = Retention.CallerKept } : await Existing(cancellation));
            var (turn, isNew) = await Store(() => _intake.Accept(conversation, request));
            if (turn.State != TurnState.Completed)
            {
                turn = await Store(() => runner.Run(
                    new TurnContext(_transcript, turn, new TurnStart(request.Offset, isNew), events, cancellation)));
            }
            else
            {
                events.Write(new TurnEvent { Started = new TurnStarted(turn.Id, turn.Model!, turn.Node!) });
                new AnswerBuilder(turn, _transcript.Conversation!.Epoch, request.Offset, events).ThrowIfLost();
            }

            if (turn.State == TurnState.Cancelled && handover.Started.IsCancellationRequested)
            {
                // What was produced is stored; the caller finds the conversation at another gateway, and goes on.
                DeactivateOnIdle();
                throw new HerdException(HerdError.Conflict, "The conversation moves to another gateway. Try again.");
            }

            span.Complete(turn);
            events.Write(new TurnEvent { Completed = turn, IsUnsaved = !await _late.IsSaved() });
        }
        catch (HerdException e) when (TurnRules.DependsOnLatestState(e))
        {
            span.Fail(e);
            await Verify(cancellation, surely: true);
            throw;
        }
        catch (Exception e)
        {
            span.Fail(e);
            throw;
        }
        finally
        {
            events.End();
        }
    }

    private async Task Store(Func<Task> write) => await Store(async () =>
    {
        await write();
        return true;
    });

    /// <summary>Runs what writes; when another activation has written, this one's memory is stale and it makes way.</summary>
    private async Task<T> Store<T>(Func<Task<T>> write)
    {
        try
        {
            return await write();
        }
        catch (HerdException e) when (e.Error is HerdError.Conflict or HerdError.Fenced)
        {
            DeactivateOnIdle();
            throw;
        }
    }

    private async Task<Conversation> Existing(CancellationToken cancellation) => await Current(cancellation) ?? throw NotFound();

    private async Task<Conversation?> Current(CancellationToken cancellation)
    {
        await Verify(cancellation);
        return _transcript.Conversation;
    }

    /// <summary>What is told from memory is what is stored: where another activation has written since, this one makes way.</summary>
    /// <param name="cancellation">Gives up.</param>
    /// <param name="surely">Whether nothing is told while the store is away and nobody knows.</param>
    private async Task Verify(CancellationToken cancellation, bool surely = false)
    {
        var isStale = await _transcript.IsStale(cancellation);
        if (isStale == true)
        {
            DeactivateOnIdle();
            throw new HerdException(HerdError.Conflict, $"The conversation {_transcript.Id} went on elsewhere. Try again.");
        }

        if (isStale is null && surely)
        {
            throw new HerdException(
                HerdError.StoreUnavailable, $"The store does not answer, so it cannot be told whether the conversation {_transcript.Id} went on elsewhere. Try again later.");
        }
    }

    private Conversation New(string? model) => new() { Id = _transcript.Id, Model = model, Created = time.GetUtcNow() };

    private Turn Find(Conversation? conversation, string turn) =>
        conversation?.Turns.FirstOrDefault(known => known.Id == turn && !known.IsDeleted) ?? throw NotFound();

    private HerdException NotFound() => new(
        HerdError.ConversationNotFound, $"There is no conversation '{_transcript.Id}'.", "conversation_id");
}
