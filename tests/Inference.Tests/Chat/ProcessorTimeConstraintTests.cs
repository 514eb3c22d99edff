using Herd.Inference.Chat;

namespace Herd.Inference.Tests.Chat;

public sealed class ProcessorTimeConstraintTests
{
    [Fact]
    public void Check_OtherThreadComputesMeanwhile_Passes()
    {
        var constraint = new ProcessorTimeConstraint(TimeSpan.FromMilliseconds(100));
        constraint.Reset();

        var other = new Thread(Check_ThreadThatComputes_ThrowsInTheEnd);
        other.Start();
        other.Join();

        Statements(constraint, 2048);
    }

    [Fact]
    public void Check_ThreadThatComputes_ThrowsInTheEnd()
    {
        var constraint = new ProcessorTimeConstraint(TimeSpan.FromMilliseconds(200));
        constraint.Reset();

        Assert.Throws<TimeoutException>(() => Statements(constraint, int.MaxValue));
    }

    private static void Statements(ProcessorTimeConstraint constraint, int count)
    {
        for (var i = 0; i < count; i++)
        {
            constraint.Check();
        }
    }
}
