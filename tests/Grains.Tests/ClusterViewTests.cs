using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Routing;

namespace Herd.Grains.Tests;

public sealed class ClusterViewTests
{
    private readonly ClusterView _view = new();

    [Fact]
    public void Candidates_NodesNotReady_AreLeftOut()
    {
        _view.Update(Report("a", NodeState.Ready));
        _view.Update(Report("b", NodeState.Loading));
        _view.Update(Report("c", NodeState.Draining));
        _view.Update(Report("d", NodeState.Ready));
        _view.Lose("d");

        Assert.Equal(["a"], _view.Candidates("m").Select(candidate => candidate.Node));
        Assert.Empty(_view.Candidates("other"));
    }

    [Fact]
    public void Candidates_LostNodeReports_IsBack()
    {
        _view.Update(Report("a", NodeState.Ready));
        _view.Lose("a");
        _view.Update(Report("a", NodeState.Ready));

        Assert.Single(_view.Candidates("m"));
    }

    [Fact]
    public void Reserve_BeforeTheNextReport_CountsAsLoad()
    {
        _view.Update(Report("a", NodeState.Ready, active: 1));
        var reservations = new[] { _view.Reserve("a", "m"), _view.Reserve("a", "m") };

        Assert.Equal(2, _view.Candidates("m").Single().Load);

        Array.ForEach(reservations, reservation => reservation.Dispose());
        reservations[0].Dispose();
        Assert.Equal(1, _view.Candidates("m").Single().Load);
    }

    [Fact]
    public void Changed_Update_Completes()
    {
        var changed = _view.Changed;
        Assert.False(changed.IsCompleted);

        _view.Update(Report("a", NodeState.Ready));

        Assert.True(changed.IsCompleted);
        Assert.False(_view.Changed.IsCompleted);
    }

    private static NodeReport Report(string node, NodeState state, int active = 0) => new()
    {
        Node = node,
        State = state,
        ProcessId = 1,
        Runtime = "none",
        Models = [new ServedModel { Id = "m", Description = "", ContextTokens = 1, Defaults = new GenerationSettings(), Active = active }],
    };
}
