using Herd.Grains.Conversations.Failover.Poison;

namespace Herd.Grains.Tests.Conversations.Failover.Poison;

public sealed class PoisonOptionsTests
{
    [Fact]
    public void Validate_NoTimes_NamesEachOption()
    {
        var result = new PoisonOptionsValidator().Validate(null, new PoisonOptions
        {
            RefusalTime = TimeSpan.Zero, NodeReturnTimeout = TimeSpan.Zero,
        });

        Assert.Equal(
            ["Poison:RefusalTime", "Poison:NodeReturnTimeout"], result.Failures!.Select(error => error.Split(' ')[1]));
    }

    [Fact]
    public void Validate_Defaults_AreValid() =>
        Assert.True(new PoisonOptionsValidator().Validate(null, new PoisonOptions()).Succeeded);
}
