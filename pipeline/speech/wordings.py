"""What agents say and what customers say: one table of standard wordings with their weight of evidence.

A weight is the log-odds (natural logarithm) that whoever says the wording is the agent: 2.0 means that
seven of eight who say it are agents, a negative weight speaks for the customer. The weights are set by
hand from how service calls go in general; `assign_roles` scales their sum, because wordings that come
together are not independent. Longer wordings are looked for first and take their characters with them,
so "你工号" counts for the customer although "工号" counts for the agent.
"""

from collections.abc import Mapping
from types import MappingProxyType

_TABLE: dict[float, str] = {
    3.0: """
        为您服务 请问有什么可以帮 有什么可以帮 有什么能帮 请问有什么需要 很高兴为您 竭诚为您 感谢您的来电
        感谢您的致电 感谢您致电 感谢您来电 欢迎致电 欢迎您致电 感谢您的接听 感谢您接听 祝您生活愉快
        祝您工作顺利 对我的服务 本次服务 服务做出评价 服务进行评价 通话将会录音 通话会录音
        通话可能会被录音 您的耐心等待 给您致电 给您来电 请不要挂机 请您不要挂机 请勿挂机 请不要挂断
        您的来电 还有其他可以帮 还有什么可以帮 其他需要帮助 感谢您的支持 感谢您的理解 感谢您的反馈
        为您办理 为您查询 帮您查询 帮您核实 为您核实 这边是客服 祝您""",
    2.2: """
        请您讲 我帮您 我给您 给您带来不便 您的包裹 您的卡 您的快递 您的账单 您的车 您先 您稍等 请您提供
        您留的 您反馈 爱车 宝贵意见 请问遇到 请问怎么 请您稍等 请稍等 请稍候 请您稍候 稍等一下我 您贵姓
        怎么称呼您 请问怎么称呼 请问贵姓 请问您 帮您 为您 给您 让您久等 请您 麻烦您 您看 您可以 您需要
        您要是 您提供 请提供 您的订单 您的账户 您的手机号 您的心情 您的问题 工号 客服中心 服务热线
        信息核对 核对一下 核实一下 跟您 向您 和您确认 您这边 请放心 您放心 理解您 先生您 女士您 打扰您
        打扰了 您方便 请问是 请问办理 办理什么 别的事吗 还有别的事 还有其他 还有什么需要 什么问题需要
        反映的问题 您反映""",
    1.3: """
        请讲 请说 合同上 查询到 我查一下 我看一下 帮你登记 后四位 预留的 验证码 受理 转接 回访 预计
        尽快联系 您这 记录在 工作人员 系统显示 系统里 系统有 后台显示 我这边 我们这边 我这里 请问 登记
        工单 客服 客户经理 帮你查 给你查 给你报 提供一下 报一下 核实 核对 先生 女士 您好 工作日 专员
        这边看到 我看到 查到了 规定 流程 反馈给 提交 已经为 给你登记 不归我们 不是我的职责 别的部门
        你听我说完 师傅上门 有人联系你 抱歉 名额 优惠活动 介绍一款 了解一下""",
    0.6: """
        我们的 这款 办理 为什么不 活动 套餐是 手续 您 再见 稍后 短信 可以的 好的""",
    -0.5: """
        我的 我家 我想 我要 我就 怎么 为什么 你好 谢谢啊 谢谢你 行吧 好吧 那行 哦 我觉得 我以前 行 算了""",
    -1.2: """
        快点啊 什么时候来 什么时候到 多久能 我充 我朋友 我们家 我们小区 我是业主 我自己 我打过 我同事
        我爸 我先生 我收到 我看到你们 我刚才 你们 我想查 我想问 我想咨询 我要问 帮我 给我 喂 我买的
        我订的 我点的 我退的 我用的 我办的 我上次 我之前 我打了 我给 什么时候能 多少钱 要多久 能不能便宜
        便宜点 还没到 没收到 不需要 没兴趣 不用了 我老公 我爱人 我老婆 我孩子 我儿子 我女儿 我妈 我姓
        有人吗 在吗 听得到吗 我等 我都 我家里 凭什么 没有了 没了 知道了谢谢 不方便""",
    -2.2: """
        我要举报 我举报 别打了 别再打了 哪儿弄的我电话 从哪儿弄的 你们领导 你领导 叫你们 找你们
        一二三一五 黑猫投诉 我要找 我要投诉 我投诉 投诉你 去投诉 什么态度 气死我 气死人 急死人 你们这
        你们那 你们到底 你们怎么 你们公司 你们是不是 给个说法 说法 赔偿我 赔我 太气人 窝火 你工号
        你的工号 工号多少 工号是多少 你叫什么 免贵姓 免贵 我要退 我要求 想咨询一下 想查一下 想问一下
        我想把 我想订 我想退 我想办 我要办 麻烦帮我 你帮我 您帮我 帮我查 帮我看 你给我 帮我取消 怎么回事
        哪里来的我的号码 哪来的我的号码 别再打 不要再打 我在开车 我在开会 我考虑考虑 考虑一下吧""",
}

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {wording: weight for weight, wordings in _TABLE.items() for wording in wordings.split()}
)
"""Log-odds for the agent by wording."""

RECORDED = (
    "请按",
    "按键",
    "自助服务",
    "人工服务请",
    "正在为您转接",
    "坐席忙",
    "请继续等待",
    "您的来电正在排队",
)
"""Wordings of announcements that a machine plays."""
