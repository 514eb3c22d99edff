using System.Runtime.CompilerServices;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Placements;
using Herd.Grains.Accounting.Ledger;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Conversations.Turns.Admission;
using Herd.Grains.Conversations.Turns.Attempts;
using Herd.Grains.Conversations.Turns.Events;
using Orleans.Placement;

namespace Herd.Grains.Conversations;

/// <summary>
/// One conversation. A turn: (1) waits in the <see cref="TurnQueue"/>; (2) is accepted: a new one is stored, a known
/// one is found by its id; (3) is answered by <see cref="TurnExecutor"/>; (4) is acknowledged after its answer was
/// stored.
/// </summary>
[PreferLocalPlacement, Immovable]
internal sealed class ConversationGrain(
    IGrainContext context,
    IConversationStore store,
    TurnExecutor executor,
    SessionMigration migration,
    SessionClient sessions,
    GatewayDrain drain,
    LocalEventChannels channels,
    UsageRecorder usage,
    IGrainFactory grains,
    TimeProvider time) : Grain(context), IConversationGrain, IIncomingGrainCallFilter, IDisposable
{
    private readonly TurnQueue _queue = new();
    private Transcript _transcript = null!;
    private TurnAcceptor _acceptor = null!;
    private WriteBehind _writeBehind = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var key = GrainKey.Split(this.GetPrimaryKeyString());
        _transcript = new Transcript(store, tenant: key[0], id: key[1]);
        _acceptor = new TurnAcceptor(_transcript, time);
        _writeBehind = new WriteBehind(this, _transcript, time);
        return _transcript.Load(cancellationToken);
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        _writeBehind.Close(cancellationToken);

    /// <summary>
    /// Runs every call. If another owner has the conversation, this activation's memory is stale: it deactivates, and
    /// the caller's next try reads the store. Failures of a stream do not pass here; <see cref="Run"/> does the same
    /// for them.
    /// </summary>
    public async Task Invoke(IIncomingGrainCallContext call)
    {
        try
        {
            await call.Invoke();
        }
        catch (HerdException e) when (IsOwnedElsewhere(e))
        {
            DeactivateOnIdle();
            throw;
        }
    }

    public Task<Conversation> Create(string? model, string? system, CancellationToken cancellation) =>
        CreateUnlessExists(New(model) with { System = system }, cancellation);

    public Task<Conversation> Adopt(Conversation copy, CancellationToken cancellation) =>
        CreateUnlessExists(copy, cancellation);

    public async Task<Conversation> UpdateMetadata(
        IReadOnlyDictionary<string, string> metadata, CancellationToken cancellation)
    {
        using var ticket = await _queue.EnterManagement(cancellation);
        var conversation = await _transcript.ReadCurrent(cancellation);
        conversation = conversation with { Metadata = metadata.Count > 0 ? metadata : null };
        await _transcript.Write(conversation, conversation.Turns.Count);
        return conversation;
    }

    public async Task<Conversation> Fork(string id, string? lastTurn, CancellationToken cancellation)
    {
        var source = await _transcript.ReadCurrent(cancellation);
        var copy = ConversationFork.Create(source, id, lastTurn, time.GetUtcNow());
        var key = GrainKey.Conversation(_transcript.Tenant, id);
        return await grains.GetGrain<IConversationGrain>(key).Adopt(copy, cancellation);
    }

    public async IAsyncEnumerable<TurnEvent> Converse(
        TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var tracked = drain.TrackTurn();
        var arrived = time.GetUtcNow();
        using var ticket = await _queue.EnterTurn(request.TurnId, mayWait: !request.IsWholeHistory, cancellation);
        await using var draining = drain.Started.Register(ticket.Cancel);
        var events = new TurnEvents(channels.Find(request.EventChannel));
        var turn = Run(request, arrived, events, ticket.Cancellation);
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
            await turn.ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    public async Task<PlacementDecision?> Migrate(
        string home, string? target, PlacementReason reason, CancellationToken cancellation)
    {
        if ((await _transcript.FindCurrent(cancellation))?.Home != home)
        {
            return null;
        }

        using var ticket = await _queue.EnterMigration(cancellation);
        return _transcript.Conversation?.Home == home
            ? await migration.Run(_transcript, target, reason, ticket.Cancellation)
            : null;
    }

    public Task<Conversation> Read(CancellationToken cancellation) => _transcript.ReadCurrent(cancellation);

    public async Task<Turn> Cancel(string turn, CancellationToken cancellation)
    {
        Find(await _transcript.ReadCurrent(cancellation), turn);
        using var ticket = await _queue.Interrupt(turn, cancellation);
        return Find(_transcript.Conversation, turn);
    }

    public async Task DeleteTurn(string turn, CancellationToken cancellation)
    {
        Find(await _transcript.ReadCurrent(cancellation), turn);
        using var ticket = await _queue.Interrupt(turn, cancellation);
        var conversation = _transcript.Conversation ?? throw ConversationErrors.NotFound(_transcript.Id);
        var kept = TurnDeletion.Remove(conversation.Turns, turn);
        await (kept.Count == 0 ? Delete(conversation) : _transcript.Write(conversation with { Turns = kept }, 0));
    }

    public async Task Delete(CancellationToken cancellation)
    {
        using var ticket = await _queue.Interrupt(cancellation);
        await Delete(await _transcript.ReadCurrent(cancellation));
    }

    public async Task<Expiry> DeleteIfUnused(DateTimeOffset since, CancellationToken cancellation)
    {
        using var ticket = await _queue.EnterMigration(cancellation);
        await _transcript.RequireCurrent(cancellation);
        if (_transcript.Conversation is not { } conversation)
        {
            DeactivateOnIdle();
            return new Expiry(IsDeleted: false, LastUse: null);
        }

        var used = conversation.Turns is [.., var last] && last.Created > conversation.Created
            ? last.Created
            : conversation.Created;
        if (used >= since || conversation.Retention != Retention.Durable)
        {
            return new Expiry(IsDeleted: false, used);
        }

        await Delete(conversation);
        return new Expiry(IsDeleted: true, LastUse: null);
    }

    public void Dispose()
    {
        _queue.Dispose();
        _transcript?.Dispose();
    }

    private async Task<Conversation> CreateUnlessExists(Conversation conversation, CancellationToken cancellation)
    {
        using var ticket = await _queue.EnterManagement(cancellation);
        if (_transcript.Conversation is null)
        {
            await _transcript.Write(conversation, 0);
        }

        return _transcript.Conversation!;
    }

    private async Task Delete(Conversation conversation)
    {
        await _transcript.Delete();
        if (conversation.Home is { } home)
        {
            foreach (var model in conversation.Turns.Select(turn => turn.Model).OfType<string>().Distinct())
            {
                sessions.Release(_transcript, home, model, conversation.Epoch + 1);
            }
        }

        DeactivateOnIdle();
    }

    /// <summary>Runs a turn that was admitted. The last event is the completed turn.</summary>
    private async Task Run(
        TurnRequest request, DateTimeOffset arrived, TurnEvents events, CancellationToken cancellation)
    {
        using var span = TurnSpans.Begin(request, _transcript.Id, arrived, time.GetUtcNow());
        try
        {
            var turn = await AnswerFromCurrent(request, events, cancellation);
            span.Complete(turn);
            events.Write(new TurnEvent { Completed = turn, IsUnsaved = !await _writeBehind.IsSaved() });
        }
        catch (Exception e)
        {
            span.Fail(e);
            if (IsOwnedElsewhere(e))
            {
                DeactivateOnIdle();
            }

            throw;
        }
        finally
        {
            events.End();
        }
    }

    /// <summary>
    /// Answers a turn. A refusal that another owner's state could change is checked against the store.
    /// </summary>
    private async Task<Turn> AnswerFromCurrent(
        TurnRequest request, TurnEvents events, CancellationToken cancellation)
    {
        try
        {
            return await Answer(request, events, cancellation);
        }
        catch (HerdException e) when (TurnAcceptance.DependsOnLatestState(e))
        {
            await _transcript.RequireCurrent(cancellation);
            throw;
        }
    }

    private async Task<Turn> Answer(TurnRequest request, TurnEvents events, CancellationToken cancellation)
    {
        var conversation = _transcript.Conversation ?? (request.IsWholeHistory
            ? New(request.Model) with { Retention = Retention.CallerKept }
            : await _transcript.ReadCurrent(cancellation));
        var (turn, isNew) = await _acceptor.Accept(conversation, request);
        var bill = new TurnBill(usage, _transcript, turn, request.Key);
        if (turn.State == TurnState.Completed)
        {
            events.Write(new TurnEvent { Started = new TurnStarted(turn.Id, turn.Model!, turn.Node!) });
            new AnswerBuilder(turn, _transcript.Conversation!.Epoch, request.Offset, events).ThrowIfLost();
            bill.RecordAgain(time.GetUtcNow());
            return turn;
        }

        turn = await executor.Run(
            new TurnContext(_transcript, turn, new TurnStart(request.Offset, isNew), events, bill, cancellation));
        if (turn.State == TurnState.Cancelled && drain.Started.IsCancellationRequested)
        {
            // The answer so far is stored. The caller finds the conversation at another gateway and resumes the turn.
            throw new HerdException(HerdError.Conflict, "The conversation moves to another gateway. Try again.");
        }

        return turn;
    }

    /// <summary>True if another owner has the conversation, or it moves to another gateway.</summary>
    private static bool IsOwnedElsewhere(Exception e) =>
        e is HerdException { Error: HerdError.Conflict or HerdError.Fenced };

    private Conversation New(string? model) =>
        new() { Id = _transcript.Id, Model = model, Created = time.GetUtcNow() };

    private Turn Find(Conversation? conversation, string turn) =>
        conversation?.Turns.FirstOrDefault(known => known.Id == turn && !known.IsDeleted)
            ?? throw ConversationErrors.TurnNotFound(_transcript.Id, turn);
}
